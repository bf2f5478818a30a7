"""How often flags answered: taken in at the door, counted once, and noted where people look."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import make
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from doors import PRODUCTION, running, until
from flag_server import flag
from rooms.flags import flagged

from daytwo_server.catalog.models import Environment
from daytwo_server.core.models import Fact
from daytwo_server.flags.app.batches import Batch, Exposure, Missing
from daytwo_server.flags.models import Asker, ExposureBatch, ExposureCount
from daytwo_server.flags.services import exposures

NOON = make.moment("2026-11-23T12:00:30")
SENT = {
    "instance": "9f2c51d07be3a846", "sequence": 7, "service": "billing",
    "from": "2026-11-23T09:30:00.000Z", "to": "2026-11-23T09:30:04.001Z",
    "exposures": [
        {"flag": "new-checkout", "revision": 12, "variant": "on", "enabled": True, "reason": "SPLIT", "count": 5120},
    ],
    "missing": [{"flag": "old-checkout", "count": 3}],
}  # fmt: skip


# ---- At the door ----


@pytest.fixture(scope="module")
def doors():
    with running(flag(), flag("half", rolloutPercentage=50)) as doors:
        yield doors


def post(doors, body):
    options = {"content": body} if isinstance(body, bytes) else {"json": body}
    return doors.ask("/flags/v1/exposures", method="POST", **options)


def test_a_batch_is_written_before_it_is_acknowledged(doors):
    doors.batches.clear()
    assert post(doors, SENT).status_code == 202
    [batch] = doors.batches
    assert (batch.environment, batch.instance, batch.sequence, batch.service) == (
        PRODUCTION,
        SENT["instance"],
        7,
        "billing",
    )
    assert batch.exposures == [Exposure("new-checkout", 5120, 12, "on", True)]
    assert batch.missing == [Missing("old-checkout", 3)]
    assert batch.until - batch.since == pytest.approx(4.001)


@pytest.mark.parametrize(
    "change",
    [
        {"instance": ""}, {"instance": "x" * 65}, {"sequence": 0}, {"sequence": "7"}, {"sequence": 2**64}, {"from": "now"},
        {"from": "2026-11-23T09:30:00"}, {"exposures": {}}, {"exposures": [{"flag": "a"}]},
        {"exposures": [{"flag": "a", "count": -1}]}, {"exposures": [{"flag": "a", "count": 1e40}]},
        {"exposures": [{"flag": "a", "count": 1}] * 10_001}, {"missing": [{"flag": 5}]},
    ],
)  # fmt: skip
def test_what_is_no_batch_is_400_and_not_sent_again(doors, change):
    doors.batches.clear()
    answer = post(doors, SENT | change)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("This is no batch of exposures: ")
    assert doors.batches == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 5000, b"null"])
def test_what_is_no_json_is_400(doors, body):
    assert post(doors, body).status_code == 400


def test_names_that_no_store_takes_are_left_out_or_made_plain(doors):
    doors.batches.clear()
    odd = {"flag": "new-checkout", "variant": "o\x00n" + "x" * 200, "enabled": True, "count": 1}
    sent = SENT | {"service": "bil\x00ling" * 20, "exposures": [odd, {"flag": "a b", "count": 1}]}
    assert post(doors, sent | {"missing": [{"flag": "\x00", "count": 1}]}).status_code == 202
    [batch] = doors.batches
    assert [(one.variant[:3], len(one.variant)) for one in batch.exposures] == [("o?n", 100)]
    assert (batch.service[:8], len(batch.service), batch.missing) == ("bil?ling", 100, [])


def test_while_the_store_is_away_the_sdk_is_told_to_try_again():
    with running(flag()) as doors:
        doors.is_away = True
        answer = post(doors, SENT)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        doors.is_away = False
        assert post(doors, SENT).status_code == 202


def test_single_evaluations_are_exposures_and_bulk_ones_are_not(doors):
    doors.batches.clear()
    for user in range(20):
        doors.evaluate("half", {"targetingKey": f"user_{user}"})
        doors.evaluate("", {"targetingKey": f"user_{user}"})
    doors.evaluate("nope")
    on = sum(doors.evaluate("half", {"targetingKey": f"user_{user}"}).json()["value"] for user in range(20))
    expected = Counter({("half", "on", True): 2 * on, ("half", "off", False): 40 - 2 * on})
    until(lambda: doors.counted() == expected)
    assert {batch.service for batch in doors.batches} == {"OFREP"}
    assert sum(one.count for batch in doors.batches for one in batch.missing if one.flag == "nope") == 1


def test_what_was_answered_here_outlasts_a_store_that_is_away_and_a_stop():
    with running(flag()) as doors:
        doors.evaluate("new-checkout")
        doors.is_away = True
        until(lambda: doors.door._exposures._kept)
        doors.is_away = False
        until(lambda: doors.counted()["new-checkout", "on", True] == 1)
        doors.evaluate("new-checkout")
    assert doors.counted()["new-checkout", "on", True] == 2


# ---- In the store ----


def batch(where, *found, instance="one", sequence=1, **given):
    given = {"service": "billing", "since": NOON.timestamp() - 4, "until": NOON.timestamp(), "missing": []} | given
    return Batch(environment=where.pk, instance=instance, sequence=sequence, exposures=list(found), **given)


ON = Exposure("new-checkout", 10, 3, "on", True)
OFF = Exposure("new-checkout", 90, 3, "off", False)


def counts():
    rows = ExposureCount.objects.values_list("key", "minute", "revision", "variant", "enabled", "count")
    return sorted((key, minute.strftime("%H:%M"), *rest) for key, minute, *rest in rows)


@pytest.fixture
def where(db):
    with time_machine.travel(NOON + dt.timedelta(seconds=10), tick=False):
        yield flagged.place()


@pytest.mark.django_db
def test_a_batch_is_counted_once_however_often_it_comes(where):
    exposures.count([batch(where, ON, OFF), batch(where, ON, OFF)])
    exposures.count([batch(where, ON, OFF)])
    exposures.count([batch(where, ON, sequence=2), batch(where, ON, instance="two")])
    assert counts() == [
        ("new-checkout", "12:00", 3, "off", False, 90), ("new-checkout", "12:00", 3, "on", True, 30),
    ]  # fmt: skip
    assert ExposureBatch.objects.count() == 3


@pytest.mark.django_db
def test_a_batch_without_an_instance_is_counted_each_time(where):
    exposures.count([batch(where, ON, instance=""), batch(where, ON, instance="")])
    assert counts() == [("new-checkout", "12:00", 3, "on", True, 20)]
    assert not ExposureBatch.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("until_s", "minute"), [(-60, "11:59"), (-7200, "10:00"), (-90_000, "12:00"), (3600, "12:00"), (2.5e11, "12:00")]
)  # fmt: skip
def test_it_counts_in_its_own_minute_unless_that_clock_is_off(where, until_s, minute):
    exposures.count([batch(where, ON, since=-6e10, until=NOON.timestamp() + until_s)])
    assert counts() == [("new-checkout", minute, 3, "on", True, 10)]


@pytest.mark.django_db
def test_the_flag_and_the_service_are_noted_at_most_once_a_minute(where):
    flagged.flag(where)
    exposures.count([batch(where, ON, missing=[Missing("gone", 2)])])
    asked = where.flag_states.get().last_asked_at
    assert asked is not None
    found = set(Asker.objects.values_list("key", "service", "found"))
    assert found == {("new-checkout", "billing", True), ("gone", "billing", False)}
    with time_machine.travel(asked + dt.timedelta(seconds=30), tick=False):
        exposures.count([batch(where, ON, sequence=2)])
    assert where.flag_states.get().last_asked_at == asked
    with time_machine.travel(asked + dt.timedelta(seconds=90), tick=False):
        exposures.count([batch(where, ON, sequence=3)])
    assert where.flag_states.get().last_asked_at == asked + dt.timedelta(seconds=90)
    assert Asker.objects.get(found=True).last_at == asked + dt.timedelta(seconds=90)


@pytest.mark.django_db
def test_one_fact_for_each_environment_tells_the_sums_of_watched_flags(where, monkeypatch):
    other = Environment.objects.create(project=where.project, name="staging", first_seen=NOON)
    monkeypatch.setattr(exposures, "_watched", lambda: {other.pk: {"new-checkout"}, where.pk: {"new-checkout"}})
    exposures.count([batch(where, ON, OFF), batch(where, ON, instance="two"), batch(other, OFF)])
    facts = [json.loads(one.data) for one in Fact.objects.filter(name="FlagsExposed").order_by("pk")]
    assert [(one["environment"], one["counts"]) for one in facts] == [
        (where.pk, [["new-checkout", 3, "off", False, 90], ["new-checkout", 3, "on", True, 20]]),
        (other.pk, [["new-checkout", 3, "off", False, 90]]),
    ]
    assert (facts[0]["since"], facts[0]["until"]) == ("2026-11-23T12:00:26.000Z", "2026-11-23T12:00:30.000Z")


@pytest.mark.django_db
def test_flags_that_nobody_watches_are_counted_and_not_told_of(where):
    flagged.flag(where)
    exposures.count([batch(where, ON)])
    assert len(counts()) == 1
    assert not Fact.objects.filter(name="FlagsExposed").exists()


@pytest.mark.django_db
def test_an_environment_that_is_gone_takes_nobody_else_with_it(where):
    gone = batch(where, ON)
    gone = Batch(**{name: getattr(gone, name) for name in gone.__struct_fields__} | {"environment": 10**6})
    exposures.count([gone, batch(where, ON)])
    assert [one[-1] for one in counts()] == [10]


@pytest.mark.django_db
def test_invented_flags_fill_no_table(where, monkeypatch):
    monkeypatch.setattr(exposures, "MAX_MISSING", 5)
    for number in range(4):
        missing = [Missing(f"gone-{number}-{each}", 1) for each in range(3)]
        exposures.count([batch(where, ON, missing=missing, sequence=number + 1)])
    assert Asker.objects.filter(found=False).count() == 6
    assert Asker.objects.filter(found=True).count() == 1


@pytest.mark.django_db
def test_more_batches_are_no_more_queries_but_one_statement_for_each_row(where):
    with CaptureQueriesContext(connection) as one:
        exposures.count([batch(where, ON)])
    with CaptureQueriesContext(connection) as many:
        exposures.count([batch(where, ON, instance=f"i{number}") for number in range(50)])
    assert len(many) == len(one)
