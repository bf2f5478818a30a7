"""What the digest does with a spool, on real stores, a batch at a time."""

import datetime as dt
import json
import uuid

import pytest

from daytwo_server.customers.models import Customer
from daytwo_server.errors import services
from daytwo_server.errors.models import Bucket, Event, EventBody, Facet, Issue, IssueUser
from daytwo_server.errors.prepare import open_body
from daytwo_server.ingest.digest import Digester, node_of
from daytwo_server.ingest.models import ItemCount
from daytwo_server.ingest.spool import CountRow, Counts, Envelope, Reader, Writer
from daytwo_server.ingest.spool import KeyUse as KeyRequests

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)


class Bench:
    """A spool of its own, written and digested by hand."""

    def __init__(self, folder):
        self.folder = folder
        self.writer = Writer(folder)
        self.reader = Reader(folder)
        self.digester = self.fresh()

    def fresh(self):
        """The digest as after a restart."""
        return Digester(self.reader, node=node_of(self.folder), folder=self.folder)

    def send(self, *contents):
        import asyncio

        async def all_of_them():
            await asyncio.gather(*(self.writer.submit(content) for content in contents))

        asyncio.run(all_of_them())

    def digest(self):
        while self.digester.run_once():
            pass

    def close(self):
        self.writer.close()
        self.reader.close()


@pytest.fixture
def bench(tmp_path):
    running = Bench(tmp_path)
    yield running
    running.close()


@pytest.fixture
def project(db):
    import make

    return make.project()


def envelope(project, *, event_id=None, function="charge", value="declined", received=None, **event):
    event_id = event_id or uuid.uuid4().hex
    received = received or dt.datetime.now(dt.UTC).timestamp()
    frame = {"module": "shop", "function": function, "filename": "shop.py", "lineno": 4, "in_app": True}
    body = {
        "event_id": event_id,
        "timestamp": received,
        "exception": {"values": [{"type": "ValueError", "value": value, "stacktrace": {"frames": [frame]}}]},
        "user": {"id": "42", "email": "dana@example.com"},
    } | event
    return Envelope(
        project=project.pk, key="k" * 32, received=received, sent_at=None, event_id=event_id,
        client_ip="203.0.113.9", sdk="sentry.python/2.75.0", items=[("event", json.dumps(body).encode())],
    )  # fmt: skip


def stored(reason="", outcome="stored"):
    rows = ItemCount.objects.filter(outcome=outcome, reason=reason)
    return sum(rows.values_list("count", flat=True))


def test_events_of_one_bug_are_one_issue_with_every_counter_moved(bench, project):
    bench.send(*(envelope(project, value=f"declined {n}", user={"id": str(n % 3)}) for n in range(10)))
    bench.digest()
    issue = Issue.objects.get()
    assert (issue.count, issue.users) == (10, 3)
    assert Event.objects.filter(issue=issue).count() == 10
    assert sum(Bucket.objects.values_list("count", flat=True)) == 10
    assert sum(IssueUser.objects.values_list("count", flat=True)) == 10
    assert Facet.objects.get(key="environment").count == 10
    assert Customer.objects.count() == 3
    assert stored() == 10


def test_two_bugs_with_one_title_are_two_issues(bench, project):
    bench.send(envelope(project, function="charge"), envelope(project, function="refund"))
    bench.digest()
    assert Issue.objects.count() == 2


def test_the_same_event_sent_twice_counts_once_in_one_batch_and_across_batches(bench, project):
    once = uuid.uuid4().hex
    bench.send(envelope(project, event_id=once), envelope(project, event_id=once))
    bench.digest()
    bench.send(envelope(project, event_id=once))
    bench.digest()
    assert Issue.objects.get().count == 1
    assert stored("duplicate", "dropped") == 2


def test_a_crash_between_the_two_stores_is_made_good_by_the_replay(bench, project, monkeypatch):
    bench.send(*(envelope(project) for _ in range(5)))

    def crash(events):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(services, "absorb", crash)
        with pytest.raises(KeyboardInterrupt):
            bench.digester.run_once()
    assert EventBody.objects.count() == 5
    assert Event.objects.count() == 0  # not visible before everything about them is
    bench.digester = bench.fresh()
    bench.digest()
    assert Issue.objects.get().count == 5
    assert Event.objects.count() == 5
    assert stored("duplicate", "dropped") == 0


def test_a_record_that_breaks_the_code_goes_to_quarantine_and_comes_back_after_the_repair(bench, project, monkeypatch):
    poison = envelope(project, function="poison")
    bench.send(envelope(project), poison, envelope(project))
    absorb = services.absorb

    def touchy(events):
        if any("poison" in event.culprit for event in events):
            raise AttributeError("a bug of ours")
        return absorb(events)

    with monkeypatch.context() as patched:
        patched.setattr(services, "absorb", touchy)
        bench.digest()
    assert Event.objects.count() == 2
    assert stored("digest_failed", "dropped") == 1
    assert len(list(bench.folder.glob("quarantine/*.record"))) == 1
    bench.digester = bench.fresh()
    bench.digester.retry_quarantine()
    assert Event.objects.count() == 3
    assert list(bench.folder.glob("quarantine/*")) == []


def test_secrets_are_gone_from_what_is_kept_and_the_spool_file_too(bench, project):
    bench.send(
        envelope(project, extra={"password": "hunter2"}, request={"headers": {"Authorization": "Bearer hunter2"}})
    )
    bench.digest()
    body = EventBody.objects.get()
    assert "hunter2" not in json.dumps(open_body(bytes(body.body)))
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=10)
    while any(b"hunter2" in path.read_bytes() for path in bench.folder.glob("*.seg")):
        bench.digest()
        assert dt.datetime.now(dt.UTC) < deadline, "the spool still holds what is not scrubbed"


def test_what_intake_counted_reaches_the_database_once(bench, project):
    minute = int(dt.datetime.now(dt.UTC).timestamp()) // 60 * 60
    rows = [CountRow(minute, project.pk, "span", "sentry.javascript/11", "dropped", "not_stored_yet", 7)]
    bench.send(Counts(rows), Counts(rows))
    bench.digest()
    assert stored("not_stored_yet", "dropped") == 14


@pytest.mark.parametrize(
    "odd",
    [
        {"message": "half an emoji \ud83d here"},
        {"transaction": "nul \x00 byte", "tags": {"k\x00": "v\x00"}, "release": "1\x00"},
        {"exception": None, "message": "x" * 100_000},
        {"level": 7, "user": "nobody", "breadcrumbs": "none", "contexts": [1], "request": 3, "extra": "e"},
        {"timestamp": "yesterday", "release": {"a": 1}, "environment": ["x"], "fingerprint": {"a": 1}},
        {"user": {"id": {"deep": ["x" * 10_000]}, "email": 5}},
    ],
)
def test_odd_events_are_kept(bench, project, odd):
    bench.send(envelope(project, **odd))
    bench.digest()
    assert Event.objects.count() == 1
    assert list(bench.folder.glob("quarantine/*")) == []


def test_a_resolved_issue_regresses_once_and_an_ignored_one_stays_ignored(bench, project):
    import make

    alice = make.alice()
    bench.send(envelope(project, function="a"), envelope(project, function="b"))
    bench.digest()
    first, second = Issue.objects.order_by("culprit")
    services.resolve([first.pk], actor=alice)
    services.ignore([second.pk], actor=alice)
    bench.send(
        envelope(project, function="a", release="2.0"), envelope(project, function="a"), envelope(project, function="b")
    )
    bench.digest()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.regressed_at is not None, first.count) == ("unresolved", True, 3)
    assert (second.status, second.count) == ("ignored", 2)
    assert first.activities.filter(kind="regressed").count() == 1


def test_an_event_that_was_on_its_way_when_the_issue_was_resolved_does_not_reopen_it(bench, project):
    import make

    bench.send(envelope(project))
    bench.digest()
    late = envelope(project, received=dt.datetime.now(dt.UTC).timestamp() - 5)
    services.resolve([Issue.objects.get().pk], actor=make.alice())
    bench.send(late)
    bench.digest()
    assert Issue.objects.get().status == "resolved"


def test_a_batch_costs_the_same_number_of_statements_however_many_events(bench, project, django_assert_max_num_queries):
    bench.send(*(envelope(project, function=f"f{n}") for n in range(3)))
    with django_assert_max_num_queries(46):
        bench.digest()
    bench.send(*(envelope(project, function=f"f{n}") for n in range(60)))
    with django_assert_max_num_queries(46):
        bench.digest()


def test_requests_are_counted_by_the_key_they_named_and_events_by_environment_and_release(bench, project):
    import make

    from daytwo_server.catalog.models import KeyUse, Release, Volume

    key = make.key(project)
    uses = [KeyRequests(1_764_000_000, key.public_key, True, 7), KeyRequests(1_764_000_060, key.public_key, False, 2)]
    bench.send(envelope(project), envelope(project), Counts([], uses))
    bench.digest()
    assert KeyUse.objects.values_list("let_in", "refused").get() == (7, 2)
    key.refresh_from_db()
    assert key.last_used_at.timestamp() == 1_764_000_060
    assert sum(Volume.objects.values_list("count", flat=True)) == 2
    assert list(Release.objects.values_list("events", flat=True)) in ([], [2])


def test_erasing_a_customer_takes_them_out_of_their_events(bench, project):
    import make

    from daytwo_server.core.jobs import run_due_jobs
    from daytwo_server.customers import services as people

    bench.send(envelope(project, tags={"user.email": "dana@example.com"}), envelope(project, user={"id": "7"}))
    bench.digest()
    people.erase(Customer.objects.get(email="dana@example.com"), actor=make.alice())
    run_due_jobs()
    bodies = json.dumps([open_body(bytes(row.body)) for row in EventBody.objects.all()])
    assert "dana@example.com" not in bodies
    assert Issue.objects.get().count == 2
    assert IssueUser.objects.filter(customer_id=None).count() == 1
    assert not Facet.objects.filter(value__contains="dana").exists()


def test_a_tag_that_is_different_in_every_event_stops_taking_rows(bench, project, monkeypatch):
    from daytwo_server.errors.models import FacetKey

    monkeypatch.setattr(FacetKey, "MAX_VALUES", 5)
    for turn in range(3):
        bench.send(*(envelope(project, tags={"request": f"{turn}-{n}", "plan": "team"}) for n in range(4)))
        bench.digest()
    assert Facet.objects.filter(key="request").count() == 8  # full after the second batch
    assert Facet.objects.get(key="plan").count == 12
    bench.send(envelope(project, tags={"request": "0-0"}))
    bench.digest()
    assert Facet.objects.get(key="request", value="0-0").count == 2
