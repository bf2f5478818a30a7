"""What goes when an error is older than the days that are kept, and what stays true of the rest."""

import datetime as dt
import threading

import make
import pytest
import time_machine
from django.db import connections, transaction
from rooms.errors import happen

from daytwo_server.core import preferences, retention, search, sql
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Holding, SearchDocument
from daytwo_server.core.stores import DEFAULT
from daytwo_server.errors import retention as errors_retention
from daytwo_server.errors.models import (
    Activity,
    Bucket,
    Event,
    EventBody,
    Facet,
    FacetKey,
    Grouping,
    Issue,
    IssueUser,
)  # fmt: skip
from daytwo_server.errors.selectors import issues as selectors

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

NOW = make.moment("2026-11-23T09:00:00")
TABLES = [Issue, Grouping, Event, EventBody, Bucket, Facet, FacetKey, IssueUser, Activity]


@pytest.fixture
def shop():
    return make.project("Shop")


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=True):
        yield


def ago(days):
    return NOW - dt.timedelta(days=days)


def happened(shop, days, *, user="someone", **fields):
    """An error of so many days ago."""
    happen.send(shop, happen.payload(timestamp=ago(days).timestamp(), user={"id": user}, **fields), at=ago(days))


def run():
    """A whole run, as the worker does it."""
    retention.run_now()
    run_due_jobs(tick=False)


def counts():
    return {model.__name__: model.objects.count() for model in TABLES}


def test_what_is_older_goes_and_the_rest_of_the_same_issue_stays(shop):
    happened(shop, 200, user="anna", tags={"browser": "Netscape"})
    happened(shop, 100, user="bert", tags={"browser": "Firefox"})
    happened(shop, 10, user="bert", tags={"browser": "Firefox"})
    issue = Issue.objects.get()
    assert (issue.count, issue.users) == (3, 2)
    run()
    issue.refresh_from_db()
    assert [event.received for event in Event.objects.all()] == [ago(10)]
    assert EventBody.objects.count() == Bucket.objects.count() == IssueUser.objects.count() == 1
    assert dict(Facet.objects.filter(key="browser").values_list("value", "count")) == {"Firefox": 2}
    assert FacetKey.objects.get(key="browser").values == 1
    # Its whole life is told by count and first seen; users are those who met it within what is kept.
    assert (issue.count, issue.users, issue.first_seen, issue.last_seen) == (3, 1, ago(200), ago(10))
    assert Holding.objects.get(kind="errors").removed == 2


def test_who_comes_back_after_being_forgotten_is_counted_once(shop):
    happened(shop, 200, user="anna")
    happened(shop, 10, user="bert")
    run()
    happened(shop, 0, user="anna")
    assert Issue.objects.get().users == IssueUser.objects.count() == 2


@pytest.mark.parametrize("status", Issue.Status.values)
def test_an_issue_that_was_not_seen_for_long_goes_entirely_whatever_its_status(shop, status):
    happened(shop, 91, tags={"plan": "business"}, release="1.0")
    Issue.objects.update(status=status, assignee=make.alice())
    assert all(n > 0 for n in counts().values())
    run()
    assert counts() == dict.fromkeys(counts(), 0)
    assert search.ids("issue", "KeyError") == []
    assert not SearchDocument.objects.filter(kind="issue").exists()


def test_a_bug_that_comes_back_after_it_was_forgotten_is_a_new_issue(shop):
    happened(shop, 91)
    old = Issue.objects.get().pk
    run()
    happened(shop, 0)
    assert Issue.objects.get().pk != old
    assert Activity.objects.filter(kind=Activity.Kind.OPENED).count() == 1


def test_an_event_that_was_delayed_on_its_way_keeps_its_issue(shop):
    late = happen.payload(timestamp=ago(100).timestamp(), user={"id": "someone"})
    happen.send(shop, late, at=ago(80))
    Issue.objects.update(first_seen=ago(100), last_seen=ago(100))  # as a normaliser without limit would have it
    run()
    assert (Event.objects.count(), EventBody.objects.count(), Issue.objects.count()) == (1, 1, 1)


def test_the_days_are_those_of_the_settings_page(shop):
    happened(shop, 20)
    run()
    assert Event.objects.count() == 1
    preferences.change({"retention_events_days": "14"}, versions={}, actor=None)
    run()
    assert Event.objects.count() == 0


def test_a_run_that_was_cut_off_goes_on_where_it_was_and_tells_of_all_it_removed(shop, monkeypatch):
    for day in range(100, 110):
        happened(shop, day, user=str(day))
    happened(shop, 1)
    monkeypatch.setattr(errors_retention, "CHUNK", 3)
    monkeypatch.setattr(retention.runs, "SLICE_S", -1.0)
    retention.run_now()
    for _ in range(100):
        if Holding.objects.filter(kind="errors", finished_at__isnull=False).exists():
            break
        run_due_jobs(tick=False, limit=1)
        if Event.objects.count() <= 5:
            monkeypatch.setattr(retention.runs, "SLICE_S", 20.0)
    holding = Holding.objects.get(kind="errors")
    assert (holding.removed, holding.rows, holding.oldest) == (10, 1, ago(1))
    assert Event.objects.count() == EventBody.objects.count() == 1


def test_rows_that_a_wrong_clock_put_in_front_do_not_hide_old_ones(shop, monkeypatch):
    monkeypatch.setattr(errors_retention, "CHUNK", 2)
    for number in range(6):
        happened(shop, -1, user=str(number))
    happened(shop, 100)
    run()
    assert sorted(Event.objects.values_list("received", flat=True)) == [ago(-1)] * 6


def test_the_page_is_told_how_many_events_a_shorter_time_removes(shop):
    for day in (1, 20, 40, 80):
        happened(shop, day, user=str(day))
    kind = retention.kind_named("errors")
    assert [kind.count_expired(ago(days)) for days in (90, 30, 7)] == [0, 2, 3]
    assert kind.oldest_at() == ago(80)


@pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)
def test_an_event_that_arrives_while_its_issue_is_removed_is_not_lost(shop):
    """On PostgreSQL the digest finds the issue, waits for the run's lock, and must look again when it is gone."""
    happened(shop, 91)
    began, go_on = threading.Event(), threading.Event()

    def digest():
        try:
            began.set()
            happened(shop, 0)
        finally:
            connections.close_all()
            go_on.set()

    other = threading.Thread(target=digest)
    with transaction.atomic():
        Event.objects.all().delete()
        issue = Issue.objects.select_for_update().get()
        other.start()
        began.wait(10)
        go_on.wait(0.5)  # long enough for the digest to come to the lock
        Issue.objects.filter(pk=issue.pk).delete()
    other.join(20)
    assert not other.is_alive()
    assert [event.issue_id for event in Event.objects.all()] == [Issue.objects.get().pk]
    assert Issue.objects.get().pk != issue.pk


def test_the_list_of_regressed_issues_reads_its_own_index(shop):
    found = selectors.Issue.objects.filter(regressed_at__isnull=False, status=Issue.Status.UNRESOLVED)
    page = found.order_by("-last_seen", "-pk")[:51]
    with connections[DEFAULT].cursor() as cursor:
        if connections[DEFAULT].vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    assert "issue_regressed" in page.explain()
    assert sql.fetch(DEFAULT, "SELECT 1", []) == [(1,)]
