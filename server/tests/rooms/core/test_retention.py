"""Data that is kept for a time: core's own kinds, the run, and what it tells."""

import datetime as dt
from dataclasses import dataclass

import pytest
import time_machine
from django.db import connections, transaction

from daytwo_server.core import audit, clock, facts, jobs, retention
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import AppendOnlyError, AuditEntry, Fact, Holding, Job
from daytwo_server.core.retention import space
from daytwo_server.ingest.models import ItemCount

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
switch = {"works": True}


@facts.fact
@dataclass(frozen=True)
class LampLit:
    room: int


@facts.reaction(LampLit)
def see_it(fact):
    if not switch["works"]:
        raise RuntimeError("no")


@pytest.fixture
def now():
    with time_machine.travel(NOON, tick=False) as moved:
        yield moved


def record(room):
    with transaction.atomic():
        facts.record(LampLit(room))


def sweep(name, *, days):
    before = clock.now() - dt.timedelta(days=days)
    return sum(retention.kind_named(name).sweep(before))


def test_facts_go_after_their_days(now):
    record(1)
    run_due_jobs(tick=False)
    now.shift(dt.timedelta(days=29))
    record(2)
    run_due_jobs(tick=False)
    assert sweep("facts", days=30) == 0
    now.shift(dt.timedelta(days=2))
    assert sweep("facts", days=30) == 1
    assert facts.load(Fact.objects.get()) == LampLit(2)


def test_a_fact_stays_while_a_reaction_waits_for_it_or_may_be_tried_again(now, monkeypatch):
    record(1)
    now.shift(dt.timedelta(days=40))
    assert sweep("facts", days=30) == 0
    monkeypatch.setitem(switch, "works", False)
    Job.objects.update(max_attempts=1)
    run_due_jobs(tick=False)
    dead = Job.objects.get(state="dead")
    assert sweep("facts", days=30) == 0
    jobs.discard(dead.pk)
    assert sweep("facts", days=30) == 1


def test_dead_and_discarded_jobs_go_after_their_days_and_waiting_ones_never(now):
    for state in Job.State.values:
        Job.objects.create(kind="core.prune", max_attempts=1, state=state, run_at=NOON)
    now.shift(dt.timedelta(days=30))
    assert sweep("dead_jobs", days=30) == 0
    now.shift(dt.timedelta(seconds=1))
    assert retention.kind_named("dead_jobs").count_expired(NOON + dt.timedelta(seconds=1)) == 2
    assert sweep("dead_jobs", days=30) == 2
    assert set(Job.objects.values_list("state", flat=True)) == {"ready", "leased"}


def test_the_audit_log_goes_by_one_way_only_and_never_its_last_thirty_days(now):
    audit.record("core:lamp:lit", actor=None)
    now.shift(dt.timedelta(days=300))
    audit.record("core:lamp:lit", actor=None)
    with pytest.raises(AppendOnlyError, match="30 days"):
        audit.forget(clock.now() - dt.timedelta(days=29), limit=10)
    with pytest.raises(AppendOnlyError):
        AuditEntry.objects.all().delete()
    assert sweep("audit", days=200) == 1
    assert AuditEntry.objects.get().at == clock.now()


def test_intake_counts_go_after_their_days(now):
    columns = {"project_id": 1, "item_type": "event", "sdk": "", "outcome": "stored", "reason": "", "count": 1}
    for days in (0, 89, 91):
        ItemCount.objects.create(hour=NOON - dt.timedelta(days=days), **columns)
    assert sweep("intake", days=90) == 1


def test_a_run_tells_what_it_removed_and_what_is_left(now):
    record(1)
    run_due_jobs(tick=False)
    now.shift(dt.timedelta(days=31))
    record(2)
    retention.run_now()
    retention.run_now()
    assert Job.objects.filter(kind="core.retain", args__contains='"facts"').count() == 1
    run_due_jobs(tick=False)
    told = Holding.objects.get(kind="facts")
    assert (told.removed, told.rows, told.oldest, told.finished_at) == (1, 1, clock.now(), clock.now())
    assert told.bytes > 0
    assert {kind.name for kind in retention.kinds()} == set(Holding.objects.values_list("kind", flat=True))
    retention.run_now()
    run_due_jobs(tick=False)
    assert Holding.objects.get(kind="facts").removed == 0


def test_the_nightly_run_has_its_time(now):
    assert retention.next_run() is None
    run_due_jobs()
    assert retention.next_run() == dt.datetime(2026, 6, 2, 2, 11, tzinfo=dt.UTC)


def test_every_kind_has_its_days_among_the_settings_and_is_measured_quickly(django_assert_max_num_queries):
    for kind in retention.kinds():
        assert retention.days_of(kind) >= 30
        with django_assert_max_num_queries(2):
            kind.count_expired(NOON)
            kind.oldest_at()


def test_the_estimate_of_a_store_without_statistics_is_of_its_size(monkeypatch):
    if connections["default"].vendor == "postgresql":
        pytest.skip("PostgreSQL always has statistics: there is nothing to estimate")
    for number in range(500):
        AuditEntry.objects.create(actor_kind="system", action="core:lamp:lit", after="x" * number)
    exact = space.size_of([AuditEntry])
    monkeypatch.setattr(space, "_has_dbstat", lambda alias: False)
    estimated = space.size_of([AuditEntry])
    assert exact > 0
    assert 0 < estimated <= 100 * exact


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_free_pages_go_back_to_the_disk_and_some_are_spared(monkeypatch):
    if connections["default"].vendor == "postgresql":
        pytest.skip("PostgreSQL gives free pages back by itself")
    monkeypatch.setattr(space, "SPARE_PAGES", 10)
    monkeypatch.setattr(space, "STEP_PAGES", 20)
    with connections["default"].cursor() as cursor:  # as the server makes its stores
        cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
        cursor.execute("VACUUM")
    with transaction.atomic():
        Fact.objects.bulk_create(Fact(name="LampLit", data="x" * 2000) for _ in range(2000))

    def pages(name):
        with connections["default"].cursor() as cursor:
            return cursor.execute(f"PRAGMA {name}").fetchone()[0]

    full = pages("page_count")
    Fact.objects.all().delete()
    assert space.shrink("default", until=float("inf"))
    assert pages("page_count") < full / 2
    assert pages("freelist_count") <= max(10, full * 0.05)
