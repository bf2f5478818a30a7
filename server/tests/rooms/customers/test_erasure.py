import subprocess
from pathlib import Path

import make
import pytest
from django.db import connections
from django.test import Client

from daytwo_server.core import scrubbing
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import AuditEntry, Fact, SearchDocument
from daytwo_server.customers import selectors, services
from daytwo_server.customers.models import Customer
from daytwo_server.mail import services as mail
from daytwo_server.mail.models import Delivery
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.services import File, Said

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


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_an_erasure_can_be_followed_to_its_end(alice):
    client = Client(headers={"Authorization": f"Bearer {make.token(alice)}"})
    dana = make.dana()
    assert client.get(f"/api/v1/customers/{dana.pk}/erasure").status_code == 404
    begun = client.post("/api/v1/customers/dana/erase")
    assert (begun.status_code, begun.json()["id"], begun.json()["finishedAt"]) == (202, dana.pk, None)
    run_due_jobs(tick=False)
    ended = client.get(f"/api/v1/customers/{dana.pk}/erasure").json()
    assert ended["finishedAt"] >= ended["erasedAt"] == begun.json()["erasedAt"]
    assert client.post(f"/api/v1/customers/{dana.pk}/erase").status_code == 202
    run_due_jobs(tick=False)
    assert list(AuditEntry.objects.filter(action__startswith="customers:").values_list("action", "ref_id")) == [
        ("customers:customer:erased", str(dana.pk)), ("customers:customer:forgotten", str(dana.pk)),
    ]  # fmt: skip


def test_mail_goes_with_an_address_that_is_theirs_and_not_with_one_that_was_only_told(alice):
    dana = make.dana()
    other = make.customer(key="id:eve", email="victim@example.com", email_verified=False)
    for address in (dana.email, other.email):
        mail.queue(to=address, subject="Hello", text="Hello")
    services.erase(other, actor=alice)
    services.erase(dana, actor=alice)
    assert list(Delivery.objects.values_list("to", flat=True)) == ["victim@example.com"]


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_nothing_that_was_erased_can_be_read_in_the_files(alice):
    """Of SQLite, whose files we can look into."""
    if connections["default"].vendor != "sqlite":
        pytest.skip("PostgreSQL's files are its server's")
    word = "Quetzalcoatlus"
    dana = make.dana()
    ticket = make.ticket(dana, f"The {word} does not fly", content=f"It worked for every {word} yesterday. " * 400)
    tickets.customer_reply(
        ticket, Said(content="See here", files=[File("a.txt", "text/plain", word.encode() * 50_000)]), customer=dana
    )
    mail.queue(to=dana.email, subject=f"Your {word}", text="Hello")
    assert len(_files_with(word)) > 0
    services.erase(dana, actor=alice)
    run_due_jobs(tick=False)
    assert Customer.objects.get(pk=dana.pk).forgotten_at is not None
    assert _files_with(word) == []
    assert SearchDocument.objects.filter(words__contains=word.lower()).count() == 0


def _files_with(word: str) -> list[str]:
    """Those of the stores that contain the word, in whatever case, whatever they say when asked."""
    database = Path(connections["default"].settings_dict["NAME"])
    stores = [database, Path(connections["telemetry"].settings_dict["NAME"])]
    every = [Path(f"{store}{end}") for store in stores for end in ("", "-wal", "-journal")]
    there = [str(path) for path in every if path.exists()]
    found = subprocess.run(["grep", "-lia", word, *there], capture_output=True, text=True)
    return found.stdout.split()


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_a_disk_that_cannot_be_cleaned_yet_is_cleaned_later(alice, monkeypatch):
    dana = make.dana()
    services.erase(dana, actor=alice)
    with monkeypatch.context() as patched:
        patched.setattr(scrubbing, "scrub", _in_use)
        run_due_jobs(tick=False)
    assert Customer.objects.get(pk=dana.pk).forgotten_at is None


def _in_use(_tables: object) -> None:
    raise scrubbing.StillRead("in use")
