"""Warnings and breaches: told once each, by whichever process is there, to those who can do something."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import make
import pytest
import time_machine
from django.db import connections
from rooms.sla.counting import MONDAY, calendar, clocks, hours, promise, told

from daytwo_server.accounts import services as accounts
from daytwo_server.core import preferences
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.core.models import Job
from daytwo_server.customers.services import Vouched, vouch
from daytwo_server.mail.models import Delivery
from daytwo_server.sla import services
from daytwo_server.sla.models import Clock, Policy, Standing
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Message, Priority, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def server(monkeypatch):
    """One that mail is given to."""
    import dataclasses

    known = dataclasses.replace(
        preferences.current(), mail_url="smtp://localhost:1", support_email="support@example.com"
    )
    monkeypatch.setattr(preferences, "current", lambda: known)


def remarks(ticket):
    return list(
        Message.objects.filter(ticket=ticket, content__startswith="Promise missed").values_list("content", flat=True)
    )


def test_a_warning_at_four_fifths_and_a_breach_in_its_moment_once_each(now):
    promise(first=1, resolved=None)
    ticket = make.ticket()
    run_due_jobs(tick=False)
    now.shift(dt.timedelta(minutes=47))
    run_due_jobs(tick=False)
    assert told("SlaWarned") == []
    now.shift(dt.timedelta(minutes=1))
    for _ in range(3):
        run_due_jobs(tick=False)
    assert [(one.ticket, one.clock, one.due_at) for one in told("SlaWarned")] == [
        (ticket.pk, "first_response", MONDAY + hours(1))
    ]
    now.shift(dt.timedelta(minutes=12))
    for _ in range(3):
        run_due_jobs(tick=False)
        services.recompute(ticket.pk)
    assert [(one.ticket, one.clock, one.due_at) for one in told("SlaBreached")] == [
        (ticket.pk, "first_response", MONDAY + hours(1))
    ]
    assert remarks(ticket) == ["Promise missed: first reply"]
    assert Ticket.objects.get(pk=ticket.pk).status == "open"
    assert len(told("SlaWarned")) == 1


def test_the_timer_waits_for_the_very_moment_and_nothing_runs_in_between(now):
    promise(first=1, resolved=None)
    make.ticket()
    run_due_jobs(tick=False)
    waiting = Job.objects.get(kind="sla.tell", unique_key="sla.tell")
    assert waiting.run_at == MONDAY + dt.timedelta(minutes=48)


def test_who_was_away_for_a_day_is_told_of_the_breach_and_not_of_a_warning_that_helps_nobody(now):
    promise(first=1, resolved=None)
    make.ticket()
    run_due_jobs(tick=False)
    now.shift(hours(24))
    run_due_jobs(tick=False)
    assert told("SlaWarned") == []
    assert len(told("SlaBreached")) == 1


def test_an_answer_in_time_is_never_told_of(now, bob):
    promise(first=1, resolved=None)
    ticket = make.ticket()
    run_due_jobs(tick=False)
    now.shift(dt.timedelta(minutes=30))
    tickets.reply(ticket, "Which month?", actor=bob)
    now.shift(hours(24))
    run_due_jobs(tick=False)
    assert told("SlaWarned") == told("SlaBreached") == []


def test_an_answer_that_came_late_while_nothing_ran_is_told_as_a_breach(now, bob):
    promise(first=1, resolved=None)
    ticket = make.ticket()
    run_due_jobs(tick=False)
    now.shift(hours(2))
    tickets.reply(ticket, "Which month?", actor=bob)
    run_due_jobs(tick=False)
    assert len(told("SlaBreached")) == 1


def test_each_round_is_warned_of_by_itself(now, bob):
    promise(first=1, following=1, resolved=None)
    ticket = make.ticket()
    for _ in range(2):
        tickets.reply(ticket, "Which month?", actor=bob)
        tickets.customer_reply(ticket, tickets.Said(content="May."), customer=ticket.customer)
        run_due_jobs(tick=False)
        now.shift(hours(2))
        run_due_jobs(tick=False)
    assert [one.clock for one in told("SlaBreached")] == ["next_response"] * 2


def test_a_promise_that_is_made_longer_and_missed_again_is_told_again(now):
    from daytwo_server.sla.services import PolicyWords

    policy = promise(first=1, resolved=None)
    ticket = make.ticket()
    now.shift(hours(1))
    run_due_jobs(tick=False)
    assert len(told("SlaBreached")) == 1
    services.change_policy(policy, PolicyWords(name="Everybody", first_response_s=4 * 3600), actor=None)
    assert clocks(ticket)["first_response"].state == "running"
    now.shift(hours(3))
    run_due_jobs(tick=False)
    assert [one.due_at for one in told("SlaBreached")] == [MONDAY + hours(1), MONDAY + hours(4)]


def test_a_plan_that_comes_with_a_reply_announces_no_breach_that_it_alone_made(now, bob):
    promise(first=8, following=None, resolved=None)
    promise(first=1, following=2, resolved=None, name="Business", plans=["business"])
    ticket = make.ticket(make.dana(plan=""))
    run_due_jobs(tick=False)
    now.shift(hours(2))
    customer = vouch(Vouched(user_id="dana", plan="business"))
    tickets.customer_reply(ticket, tickets.Said(content="I pay for an answer now."), customer=customer)
    assert clocks(ticket)["first_response"].state == "breached"
    assert told("SlaBreached") == []
    tickets.reply(ticket, "Which month?", actor=bob)
    tickets.customer_reply(ticket, tickets.Said(content="May."), customer=customer)
    now.shift(hours(2))
    run_due_jobs(tick=False)
    assert [fact.clock for fact in told("SlaBreached")] == ["next_response"]


def test_a_plan_that_begins_to_promise_something_announces_nothing_of_before(now):
    promise(first=1, resolved=None, name="Business", plans=["business"])
    ticket = make.ticket(make.dana(plan=""))
    run_due_jobs(tick=False)
    now.shift(hours(2))
    customer = vouch(Vouched(user_id="dana", plan="business"))
    tickets.customer_reply(ticket, tickets.Said(content="I pay for an answer now."), customer=customer)
    assert clocks(ticket)["first_response"].state == "breached"
    assert told("SlaBreached") == []


def test_what_becomes_urgent_has_missed_nothing_before(now, bob):
    promise(first=8, resolved=None)
    promise(first=1, resolved=None, name="Urgent", priorities=["urgent"])
    late, soon = make.ticket(), make.ticket()
    run_due_jobs(tick=False)
    now.shift(hours(2))
    tickets.change(late, tickets.Change(priority=Priority.URGENT), actor=bob)
    now.shift(hours(6))
    run_due_jobs(tick=False)
    assert [fact.ticket for fact in told("SlaBreached")] == [soon.pk]


def test_what_was_told_and_that_it_was_told_are_written_together_or_not_at_all(now, monkeypatch):
    from daytwo_server.core import facts

    promise(first=1, resolved=None)
    ticket = make.ticket()
    run_due_jobs(tick=False)
    now.shift(hours(1))
    with monkeypatch.context() as broken:
        broken.setattr(facts, "record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            services.recompute(ticket.pk)
    assert Clock.objects.get(ticket=ticket).breached_at is None
    services.recompute(ticket.pk)
    services.recompute(ticket.pk)
    assert len(told("SlaBreached")) == 1


@pytest.mark.usefixtures("server")
class TestMail:
    """Who is mailed, and when."""

    def mails(self):
        found = Delivery.objects.filter(text__contains="longer than we promised")
        return list(found.order_by("pk").values_list("to", flat=True))

    def test_the_assignee_is_mailed(self, now, bob):
        promise(first=1, resolved=None)
        ticket = make.ticket()
        tickets.assign(ticket, bob.email, actor=make.alice())
        run_due_jobs(tick=False)
        now.shift(hours(1))
        run_due_jobs(tick=False)
        assert self.mails() == [bob.email]

    def test_without_an_assignee_the_support_address_is(self, now):
        promise(first=1, resolved=None)
        make.ticket()
        now.shift(hours(1))
        run_due_jobs(tick=False)
        assert self.mails() == ["support@example.com"]

    def test_at_night_it_waits_for_the_morning_and_is_not_sent_when_the_answer_has_come(self, now, bob):
        promise(first=1, resolved=None, calendar=calendar())
        late, answered = make.ticket(), make.ticket()
        run_due_jobs(tick=False)
        now.move_to(MONDAY + hours(14))  # the server was off in the afternoon
        run_due_jobs(tick=False)
        assert len(told("SlaBreached")) == 2
        assert self.mails() == []
        tickets.reply(answered, "Which month?", actor=bob)
        run_due_jobs(tick=False)
        now.move_to(MONDAY + hours(24))
        run_due_jobs(tick=False)
        assert self.mails() == ["support@example.com"]
        assert Delivery.objects.filter(subject__contains=f"#{late.pk}").exists()

    def test_an_urgent_one_is_mailed_at_night(self, now):
        promise(first=1, resolved=None, calendar=calendar())
        make.ticket(priority=Priority.URGENT)
        run_due_jobs(tick=False)
        now.move_to(MONDAY + hours(14))
        run_due_jobs(tick=False)
        assert self.mails() == ["support@example.com"]


@pytest.mark.usefixtures("server")
class TestWarningByMail:
    """Before a promise is missed: to who has the ticket, while there is time."""

    def warned(self):
        found = Delivery.objects.filter(text__contains="A promise to the customer runs out soon")
        return list(found.order_by("to").values_list("to", flat=True))

    def test_the_assignee_hears_of_it_once_and_when_it_runs_out(self, now, bob):
        promise(first=1, resolved=None)
        ticket = make.ticket()
        tickets.assign(ticket, bob.email, actor=make.alice())
        run_due_jobs(tick=False)
        now.shift(dt.timedelta(minutes=47))
        run_due_jobs(tick=False)
        assert self.warned() == []
        now.shift(dt.timedelta(minutes=1))
        for _ in range(3):
            run_due_jobs(tick=False)
        assert self.warned() == [bob.email]
        assert "First reply, due 2026-11-23 10:00 UTC" in Delivery.objects.get(text__contains="runs out soon").text

    @pytest.mark.parametrize("team", ["", "Billing"])
    def test_without_an_assignee_the_team_hears_of_it_and_without_a_team_nobody(self, now, bob, team):
        accounts.save_team(accounts.TeamWords(name="Billing", members=[bob.pk]), actor=None)
        promise(first=1, resolved=None)
        Ticket.objects.filter(pk=make.ticket().pk).update(team=team)
        run_due_jobs(tick=False)
        now.shift(dt.timedelta(minutes=50))
        run_due_jobs(tick=False)
        assert len(told("SlaWarned")) == 1
        assert self.warned() == ([bob.email] if team else [])

    def test_at_night_it_waits_and_is_not_sent_when_the_answer_has_come(self, now, bob):
        promise(first=8, resolved=None, following=None, calendar=calendar())
        alice = make.alice()
        waiting, answered = make.ticket(), make.ticket()
        for one in (waiting, answered):
            tickets.assign(one, bob.email, actor=alice)
        run_due_jobs(tick=False)
        now.move_to(MONDAY + hours(14))  # the server was off since the morning
        run_due_jobs(tick=False)
        assert (len(told("SlaWarned")), self.warned()) == (2, [])
        tickets.reply(answered, "Which month?", actor=bob)
        now.move_to(MONDAY + hours(24))
        run_due_jobs(tick=False)
        assert self.warned() == [bob.email]
        assert Delivery.objects.filter(text__contains="runs out soon").get().about == f"ticket:{waiting.pk}"


@pytest.mark.django_db(transaction=True)
def test_several_processes_that_look_at_once_tell_once():
    promise(first=1, resolved=None)
    numbers = [make.ticket().pk for _ in range(5)]
    run_due_jobs(tick=False)
    Clock.objects.update(due_at=make.moment(), warn_at=make.moment(), next_at=make.moment())
    Ticket.objects.update(created_at=make.moment("2026-11-20T09:00:00"))
    Message.objects.update(created_at=make.moment("2026-11-20T09:00:00"))
    Standing.objects.update(since=make.moment("2026-11-20T09:00:00"))
    Policy.objects.update(since=make.moment("2026-11-19T09:00:00"))

    def look(_):
        try:
            services.tell_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(8)))
    assert sorted(one.ticket for one in told("SlaBreached")) == numbers


@pytest.mark.django_db(transaction=True)
def test_what_is_promised_while_a_count_waits_for_the_ticket_is_counted():
    from django.db import transaction

    from daytwo_server.tickets.services.common import held

    policy = promise(first=8, resolved=None)
    ticket = make.ticket()

    def count():
        try:
            services.recompute(ticket.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            held(ticket.pk)
            counting = pool.submit(count)
            time.sleep(0.5)  # it has come as far as the lock
            Policy.objects.filter(pk=policy.pk).update(first_response_s=3600)
        counting.result()
    assert Clock.objects.get(ticket=ticket.pk).target_s == 3600
