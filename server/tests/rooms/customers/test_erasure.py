import make
import pytest

from daytwo_server.core.models import AuditEntry, Fact
from daytwo_server.customers import selectors, services
from daytwo_server.customers.models import Customer

pytestmark = pytest.mark.django_db


def test_an_erased_customer_is_an_empty_row_that_keeps_its_id_for_counts(alice):
    dana = make.dana(organization=make.organization())
    services.erase(dana, actor=alice)
    row = Customer.objects.filter(pk=dana.pk).values().get()
    assert row["erased_at"] is not None
    assert "dana" not in str(row).lower()
    assert (row["organization_id"], row["plan"], row["verified"]) == (None, "", False)
    assert selectors.customers().rows == []
    assert selectors.customers_by_id([dana.pk])[dana.pk].title == f"Erased customer {dana.pk}"


def test_erasing_is_told_to_the_other_rooms_and_the_log_without_naming_anybody(alice):
    dana = make.dana()
    services.erase(dana, actor=alice)
    services.erase(dana, actor=alice)
    assert list(Fact.objects.values_list("name", "data")) == [("CustomerErased", f'{{"customer":{dana.pk}}}')]
    entry = AuditEntry.objects.values().get()
    assert (entry["action"], entry["ref_id"], entry["actor_id"]) == (
        "customers:customer:erased", str(dana.pk), str(alice.pk),
    )  # fmt: skip
    assert "dana" not in str(entry).lower()


def test_who_was_erased_and_comes_back_is_a_new_customer(alice):
    dana = make.dana()
    services.erase(dana, actor=alice)
    ids = services.see([services.Sighting(key="id:dana", project=1, at=make.moment())])
    assert ids["id:dana"] != dana.pk
    assert Customer.objects.get(pk=ids["id:dana"]).email == ""
