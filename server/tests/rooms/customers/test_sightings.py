import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import make
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daytwo_server.customers import services
from daytwo_server.customers.models import Customer

pytestmark = pytest.mark.django_db
NOON = make.moment("2026-11-23T12:00:00")


def sighting(key: str = "id:42", minutes: float = 0, **said):
    return services.Sighting(key=key, project=1, at=NOON + dt.timedelta(minutes=minutes), **said)


def test_an_unknown_customer_is_created_unverified_with_what_the_events_said():
    ids = services.see(
        [sighting(minutes=1, name="Dana"), sighting(minutes=3, email="Dana@Example.com"), sighting("name:x")]
    )
    dana = Customer.objects.get(key="id:42")
    assert ids == {"id:42": dana.pk, "name:x": Customer.objects.get(key="name:x").pk}
    assert (dana.name, dana.email) == ("Dana", "dana@example.com")
    assert (dana.verified, dana.email_verified, dana.plan, dana.organization) == (False, False, "", None)
    assert (dana.first_seen, dana.last_seen) == (NOON + dt.timedelta(minutes=1), NOON + dt.timedelta(minutes=3))


@pytest.mark.parametrize("verified", [True, False])
def test_a_known_customer_is_never_changed_by_what_comes_with_a_public_key(verified):
    dana = make.dana(
        first_seen=NOON, last_seen=NOON, organization=make.organization(), verified=verified, email_verified=verified
    )
    before = Customer.objects.filter(pk=dana.pk).values().get()
    ids = services.see([sighting("id:dana", 5, email="mallory@example.com", name="Mallory")])
    assert ids == {"id:dana": dana.pk}
    after = Customer.objects.filter(pk=dana.pk).values().get()
    assert after == before | {"last_seen": NOON + dt.timedelta(minutes=5)}


def test_what_is_no_text_is_left_out():
    services.see([sighting(email={"a": 1}, name=["x"]), sighting(email=None, name=7)])
    customer = Customer.objects.get()
    assert (customer.email, customer.name) == ("", "7")


def test_late_events_move_the_first_seen_back_and_never_the_last_seen():
    services.see([sighting(minutes=10)])
    services.see([sighting(minutes=2)])
    customer = Customer.objects.get()
    assert customer.first_seen == NOON + dt.timedelta(minutes=2)
    assert customer.last_seen == NOON + dt.timedelta(minutes=10)


def test_the_last_seen_of_a_busy_customer_is_written_once_a_minute():
    services.see([sighting()])
    with CaptureQueriesContext(connection) as captured:
        services.see([sighting(minutes=0.9)])
    assert not any("INSERT" in query["sql"] for query in captured)
    services.see([sighting(minutes=1)])
    assert Customer.objects.get().last_seen == NOON + dt.timedelta(minutes=1)


def test_the_same_batch_again_changes_nothing_and_names_the_same_customers():
    batch = [sighting(f"id:{n}", n) for n in range(50)]
    ids = services.see(batch)
    before = list(Customer.objects.order_by("pk").values())
    assert services.see(batch) == ids
    assert list(Customer.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("size", [1, 20, 500, 7000])
def test_a_batch_of_any_size_costs_two_queries_and_two_more_to_index_who_is_new(size):
    services.see([sighting(f"id:{n}") for n in range(0, size, 2)])
    with CaptureQueriesContext(connection) as captured:
        ids = services.see([sighting(f"id:{n}", 5) for n in range(size)])
    assert len(ids) == size
    statements = [q["sql"] for q in captured if q["sql"].startswith(("SELECT", "INSERT", "UPDATE"))]
    assert len(statements) <= (4 if size <= 500 else 6)
    with CaptureQueriesContext(connection) as captured:
        services.see([sighting(f"id:{n}", 5) for n in range(size)])
    assert len([q for q in captured if q["sql"].startswith(("SELECT", "INSERT", "UPDATE"))]) == 1


def test_an_empty_batch_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert services.see([]) == {}


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_agree_on_one_row_for_each_customer():
    start = threading.Barrier(4)

    def write(turn: int) -> dict[str, int]:
        keys = [f"id:{n}" for n in range(100)]
        start.wait()
        try:
            return services.see([sighting(key, turn) for key in (keys if turn % 2 else reversed(keys))])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(write, range(4)))
    assert len(answers[0]) == 100
    assert [answer for answer in answers if answer != answers[0]] == []
    assert Customer.objects.count() == 100
    assert set(Customer.objects.values_list("first_seen", "last_seen")) == {(NOON, NOON + dt.timedelta(minutes=3))}
