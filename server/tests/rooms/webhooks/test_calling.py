"""Other systems are told what happens: signed, once as far as they say so, and again when they did not take it."""

import dataclasses
import datetime as dt
import ipaddress

import make
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rooms.webhooks.receiving import receiving

from daytwo_server.core import clock, conf
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import AuditEntry, Job
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Status
from daytwo_server.webhooks import sending, services, signing
from daytwo_server.webhooks.jobs import sweep
from daytwo_server.webhooks.models import Call, Endpoint

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture(autouse=True)
def _loopback():
    before = conf.current()
    conf.use(dataclasses.replace(before, allowed_addresses=(ipaddress.ip_network("127.0.0.1/32"),)))
    yield
    conf.use(before)


@pytest.fixture
def receiver():
    with receiving() as there:
        yield there


@pytest.fixture
def hook(receiver):
    made = make.webhook(url=receiver.url)
    receiver.secrets = [signing.shown(made)]
    return made


@pytest.fixture
def nia(db):
    return make.member("Nia", role="agent")


def happens():
    """Reactions, and what they leave to be done."""
    for _ in range(3):
        run_due_jobs(tick=False)


def test_a_ticket_is_told_of_with_what_was_said_and_notes_are_not(receiver, hook, nia):
    ticket = make.ticket(make.dana(), subject="Export", content="It hangs.")
    tickets.note(ticket, "She is angry.", actor=nia)
    tickets.reply(ticket, "Which month?", actor=nia)
    tickets.set_status(ticket, Status.RESOLVED, actor=nia)
    tickets.rate(ticket, 5, "")
    happens()
    assert receiver.refused == []
    told = {kind: data for _, kind, data in receiver.taken}
    assert set(told) == {"ticket.opened", "ticket.replied", "ticket.status_changed", "ticket.rated"}
    assert told["ticket.opened"]["ticket"]["number"] == ticket.code
    assert told["ticket.opened"]["message"]["content"] == "It hangs."
    assert (told["ticket.replied"]["by"], told["ticket.replied"]["message"]["content"]) == ("agent", "Which month?")
    assert told["ticket.rated"]["rating"] == 5
    assert "angry" not in str(receiver.taken)
    assert set(Call.objects.values_list("state", flat=True)) == {"sent"}


def test_only_what_was_chosen_is_told(receiver, hook, nia):
    services.change_endpoint(
        hook, services.EndpointWords(name="Ratings", url=receiver.url, events=["ticket.rated"]), actor=None
    )
    ticket = make.ticket(make.dana())
    tickets.set_status(ticket, Status.RESOLVED, actor=nia)
    tickets.rate(ticket, 2, "")
    happens()
    assert [kind for _, kind, _ in receiver.taken] == ["ticket.rated"]


def test_what_was_not_taken_is_tried_again_under_its_id_and_later_each_time(receiver, hook):
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as now:
        services.try_out(hook)
        receiver.status = 500
        for delay in sending.DELAYS:
            happens()
            now.shift(delay)
        call = Call.objects.get()
        assert (call.state, call.attempts, call.status, call.problem) == ("waiting", 7, 500, "It answered 500.")
        receiver.status = 200
        happens()
        call.refresh_from_db()
        assert (call.state, call.attempts, call.problem) == ("sent", 8, "")
        assert [one for one, *_ in receiver.taken] == [call.uid]
        assert Endpoint.objects.get().failing_since is None
        now.shift(dt.timedelta(days=15))
        sweep()
        assert not Call.objects.exists()


def test_after_the_last_try_it_has_failed_and_can_be_sent_again(receiver, hook):
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as now:
        services.try_out(hook)
        receiver.status = 302  # which is not followed
        for delay in (*sending.DELAYS, dt.timedelta()):
            happens()
            now.shift(delay)
        call = Call.objects.get()
        assert (call.state, call.attempts) == ("failed", 8)
        receiver.status = 200
        assert services.call_again(call)
        assert not services.call_again(call)
        happens()
    assert len(receiver.taken) == 1


def test_who_answers_410_is_called_no_more(receiver, hook):
    receiver.status = 410
    services.try_out(hook)
    services.try_out(hook)
    happens()
    gone = Endpoint.objects.get()
    assert gone.off_at is not None
    assert "410" in gone.off_why
    assert set(Call.objects.values_list("state", flat=True)) == {"failed"}
    make.ticket(make.dana())
    happens()
    assert Call.objects.count() == 2
    services.switch(gone, on=True, actor=None)
    receiver.status = 200
    services.try_out(gone)
    happens()
    assert len(receiver.taken) == 1


def test_after_three_days_without_one_that_arrived_it_is_switched_off(receiver, hook):
    receiver.status = 503
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as now:
        for _ in range(5):
            services.try_out(hook)
            happens()
            now.shift(dt.timedelta(days=1))
    off = Endpoint.objects.get()
    assert off.off_at is not None
    assert off.off_why == "Nothing arrived for three days. The last time: It answered 503."


def test_one_that_does_not_answer_holds_up_nobody_else(receiver, hook, monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.3)
    with receiving() as slow:
        slow.delay_s = 1.0
        other = make.webhook("Slow", url=slow.url)
        for _ in range(5):
            services.try_out(other)
        services.try_out(hook)
        happens()
        assert len(receiver.taken) == 1
        assert sorted(Call.objects.filter(endpoint=other).values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]


def test_an_address_within_is_refused_and_not_tried_again(hook):
    conf.use(dataclasses.replace(conf.current(), allowed_addresses=()))
    services.try_out(hook)
    happens()
    call = Call.objects.get()
    assert (call.state, call.attempts) == ("failed", 1)
    assert "DAYTWO_ALLOWED_ADDRESSES" in call.problem


def test_of_what_was_erased_meanwhile_nobody_hears(receiver, hook):
    ticket = make.ticket(make.dana())
    services.tell("ticket.opened", {"ticket": ticket.pk, "message": ticket.messages.get().pk})
    services.tell("ticket.assigned", {"ticket": 10**9})
    tickets.forget_customer(ticket.customer_id)
    happens()
    assert [kind for _, kind, _ in receiver.taken] == []
    assert not Call.objects.filter(state="waiting").exists()


def test_after_a_replacement_both_secrets_sign_for_a_day(receiver, hook):
    old = receiver.secrets[0]
    replaced = services.replace_secret(hook, actor=None)
    receiver.secrets = [old]
    services.try_out(hook)
    happens()
    receiver.secrets = [signing.shown(replaced)]
    services.try_out(hook)
    happens()
    assert len(receiver.taken) == 2
    Endpoint.objects.update(overlaps_until=clock.now() - dt.timedelta(seconds=1))
    receiver.secrets = [old]
    services.try_out(hook)
    happens()
    assert len(receiver.taken) == 2
    assert receiver.refused == ["Nobody we know has signed it."]


def test_the_secret_and_the_address_are_in_no_log_of_changes_and_no_row_holds_the_secret(hook, alice):
    services.change_endpoint(
        hook, services.EndpointWords(name="Board", url="https://a.example/?token=sesame"), actor=alice
    )
    told = str(list(AuditEntry.objects.filter(action__startswith="webhooks:").values()))
    assert "sesame" not in told
    rows = str(list(Endpoint.objects.values()))
    assert signing.shown(hook).removeprefix("whsec_") not in rows


def test_where_nobody_wants_to_know_telling_is_one_query_and_no_job():
    with CaptureQueriesContext(connection) as asked:
        services.tell("ticket.opened", {"ticket": 1})
    assert len(asked) == 1
    assert not Job.objects.filter(kind="webhooks.send").exists()


def test_a_call_of_a_process_that_was_killed_is_made_by_the_next_one(receiver, hook):
    with time_machine.travel(dt.datetime.now(dt.UTC), tick=False) as now:
        services.try_out(hook)
        assert sending._claim() is not None  # and then nothing more
        assert sending.drain(for_s=1) is not None
        assert receiver.taken == []
        now.shift(sending.LEASE)
        sweep()
        happens()
    assert len(receiver.taken) == 1
