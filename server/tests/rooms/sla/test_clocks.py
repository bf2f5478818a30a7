"""What runs, stops and ends the clocks of a ticket."""

from __future__ import annotations

import datetime as dt

import make
import pytest
import time_machine
from rooms.sla.counting import MONDAY, calendar, clocks, hours, promise, states, told

from daytwo_server.customers.services import Vouched, vouch
from daytwo_server.sla import services
from daytwo_server.sla.models import Clock
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Message, Priority, Status, Ticket
from daytwo_server.tickets.services import Change, Said

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def answer(ticket, bob, **fields):
    return tickets.reply(ticket, "Which month?", actor=bob, **fields)


def write(ticket, text="Still empty."):
    return tickets.customer_reply(ticket, Said(content=text), customer=ticket.customer)


def due(ticket):
    return Ticket.objects.get(pk=ticket.pk).due_at


def test_without_a_policy_no_clock_runs(now):
    ticket = make.ticket()
    assert clocks(ticket) == {}
    assert due(ticket) is None


def test_a_new_ticket_has_a_first_reply_and_a_resolution_to_come_and_the_sooner_is_due(now):
    promise(first=1, resolved=8)
    ticket = make.ticket()
    assert states(ticket) == {"first_response": "running", "resolution": "running"}
    assert due(ticket) == MONDAY + hours(1)
    warned = clocks(ticket)["first_response"].warn_at
    assert warned == MONDAY + dt.timedelta(minutes=48)


def test_an_answer_keeps_the_first_promise_and_pauses_the_resolution(now, bob):
    promise()
    ticket = make.ticket()
    now.shift(hours(0.5))
    answer(ticket, bob)
    found = clocks(ticket)
    assert {kind: one.state for kind, one in found.items()} == {"first_response": "met", "resolution": "paused"}
    assert found["first_response"].elapsed_s == 1800
    assert found["resolution"].remaining == hours(7.5)
    assert due(ticket) is None


def test_the_resolution_goes_on_when_the_customer_writes_and_a_next_reply_is_due_from_then(now, bob):
    promise()
    ticket = make.ticket()
    now.shift(hours(0.5))
    answer(ticket, bob)
    now.shift(hours(10))
    write(ticket)
    found = clocks(ticket)
    assert found["next_response"].due_at == MONDAY + hours(12.5)
    assert found["resolution"].due_at == MONDAY + hours(10.5 + 7.5)
    assert due(ticket) == MONDAY + hours(12.5)
    now.shift(hours(1))
    write(ticket, "Hello?")
    assert clocks(ticket)["next_response"].due_at == MONDAY + hours(12.5)  # from what we have not answered
    answer(ticket, bob)
    assert states(ticket) == {"first_response": "met", "next_response": "met", "resolution": "paused"}


def test_each_time_the_customer_comes_back_is_a_round_of_its_own(now, bob):
    promise()
    ticket = make.ticket()
    for _ in range(3):
        answer(ticket, bob)
        now.shift(hours(1))
        write(ticket)
        now.shift(hours(1))
    rows = [(one.round, one.state) for one in Clock.objects.filter(kind="next_response").order_by("round")]
    clocks(ticket)
    rows = [(one.round, one.state) for one in Clock.objects.filter(kind="next_response").order_by("round")]
    assert rows == [(1, "met"), (2, "met"), (3, "running")]


def test_an_answer_that_leaves_it_our_turn_keeps_the_resolution_running(now, bob):
    promise()
    ticket = make.ticket()
    answer(ticket, bob, status=Status.IN_PROGRESS)
    assert states(ticket) == {"first_response": "met", "resolution": "running"}
    assert due(ticket) == MONDAY + hours(8)


def test_resolving_ends_what_runs_and_reopening_goes_on_with_what_is_left(now, bob):
    promise()
    ticket = make.ticket()
    now.shift(hours(0.5))
    answer(ticket, bob, status=Status.RESOLVED)
    assert states(ticket) == {"first_response": "met", "resolution": "met"}
    now.shift(hours(24))
    write(ticket)
    found = clocks(ticket)
    assert found["resolution"].state == "running"
    assert found["resolution"].due_at == MONDAY + hours(24.5 + 7.5)
    assert found["next_response"].due_at == MONDAY + hours(24.5 + 2)


def test_a_question_that_was_resolved_by_mistake_is_still_a_question(now, bob):
    promise()
    ticket = make.ticket()
    answer(ticket, bob)
    write(ticket)
    tickets.set_status(ticket, Status.RESOLVED, actor=bob)
    assert states(ticket)["next_response"] == "met"
    tickets.set_status(ticket, Status.OPEN, actor=bob)
    assert states(ticket)["next_response"] == "running"


def test_what_is_resolved_without_words_is_answered_by_that(now, bob):
    promise()
    ticket = make.ticket()
    answer(ticket, bob)
    write(ticket, "Thanks!")
    tickets.set_status(ticket, Status.RESOLVED, actor=bob)
    now.shift(hours(48))
    write(ticket, "It is back.")
    found = clocks(ticket)["next_response"]
    assert (found.round, found.started_at) == (2, MONDAY + hours(48))


def test_a_note_is_no_answer(now, bob):
    promise()
    ticket = make.ticket()
    tickets.note(ticket, "Odd.", actor=bob)
    assert states(ticket)["first_response"] == "running"


def test_a_late_answer_leaves_the_promise_missed(now, bob):
    promise(first=1)
    ticket = make.ticket()
    now.shift(hours(3))
    answer(ticket, bob)
    found = clocks(ticket)["first_response"]
    assert (found.state, found.due_at, found.ended_at) == ("breached", MONDAY + hours(1), MONDAY + hours(3))
    assert due(ticket) is None


def test_working_hours_count_and_nights_do_not(now):
    promise(first=8, calendar=calendar())
    ticket = make.ticket()
    assert clocks(ticket)["first_response"].due_at == MONDAY + hours(24 + 1)  # seven hours a day


def test_a_more_urgent_ticket_is_due_sooner_and_what_was_kept_before_stays_kept(now, bob):
    promise(first=4, resolved=40)
    promise(first=0.25, following=0.25, resolved=2, name="Urgent", priorities=["urgent"])
    ticket = make.ticket()
    now.shift(hours(1))
    answer(ticket, bob, status=Status.IN_PROGRESS)
    clocks(ticket)
    tickets.change(ticket, Change(priority=Priority.URGENT), actor=bob)
    found = clocks(ticket)
    assert (found["first_response"].state, found["first_response"].target_s) == ("met", 4 * 3600)
    assert found["resolution"].due_at == MONDAY + hours(2)


def test_another_plan_is_another_promise(now):
    promise(first=24)
    promise(first=1, name="Business", plans=["Business"])
    customer = make.dana(plan="")
    ticket = make.ticket(customer)
    assert clocks(ticket)["first_response"].due_at == MONDAY + hours(24)
    vouch(Vouched(user_id="dana", plan="business"))
    assert clocks(ticket)["first_response"].due_at == MONDAY + hours(1)


def test_the_plan_of_the_organization_counts_where_the_customer_has_none(now):
    promise(first=24)
    promise(first=1, name="Business", plans=["business"])
    ticket = make.ticket(make.dana(plan="", organization=make.organization(plan="business")))
    assert due(ticket) is None
    assert clocks(ticket)["first_response"].due_at == MONDAY + hours(1)


def test_a_changed_policy_or_calendar_moves_what_is_open_and_alarms_nobody(now):
    from daytwo_server.calendars import services as calendars
    from daytwo_server.sla.services import PolicyWords

    office = calendar()
    policy = promise(first=8, calendar=office)
    ticket = make.ticket()
    clocks(ticket)
    now.shift(hours(2))
    words = PolicyWords(name="Everybody", calendar=office, first_response_s=3600)
    services.change_policy(policy, words, actor=None)
    found = clocks(ticket)
    assert (found["first_response"].state, found["first_response"].due_at) == ("breached", MONDAY + hours(1))
    assert "resolution" not in found  # it is not promised any more
    assert told("SlaBreached") == []
    week = {0: [(600, 1020)]}
    calendars.change_calendar(office, calendars.CalendarWords(name="Office", time_zone="UTC", week=week), actor=None)
    assert clocks(ticket)["first_response"].due_at == MONDAY + hours(2)


def test_a_policy_that_is_archived_stops_its_clocks_and_undo_starts_them_again(now):
    policy = promise()
    ticket = make.ticket()
    clocks(ticket)
    services.archive_policy(policy, archived=True, actor=None)
    assert clocks(ticket) == {}
    assert due(ticket) is None
    services.archive_policy(policy, archived=False, actor=None)
    assert due(ticket) is None
    assert set(states(ticket).values()) == {"running"}


def test_tickets_that_were_answered_before_there_was_a_promise_alarm_nobody(now, bob):
    ticket = make.ticket()
    now.shift(hours(100))
    answer(ticket, bob)
    promise(first=1)
    assert states(ticket)["first_response"] == "breached"
    now.shift(hours(1))
    write(ticket)
    clocks(ticket)
    assert told("SlaBreached") == []


def test_what_a_machine_wrote_asks_for_no_answer(now, bob):
    from daytwo_server.tickets.models import Mailed

    promise()
    ticket = make.ticket()
    answer(ticket, bob)
    _, message = write(ticket, "I am on holiday.")
    Mailed.objects.create(message=message, sender="dana@example.com", automatic=True)
    services.recompute(ticket.pk)
    assert "next_response" not in states(ticket)
    assert Message.objects.filter(ticket=ticket).count() > 2


def test_a_question_that_was_resolved_keeps_its_verdict_when_more_is_said_afterwards(now, bob):
    promise(first=1, following=2)
    ticket = make.ticket()
    answer(ticket, bob)
    now.shift(hours(1))
    write(ticket)
    now.shift(hours(3))
    tickets.set_status(ticket, Status.RESOLVED, actor=bob)  # an hour late
    clocks(ticket)
    now.shift(hours(1))
    answer(ticket, bob)  # it stays resolved
    now.shift(hours(1))
    write(ticket, "And March?")
    clocks(ticket)
    rounds = Clock.objects.filter(ticket=ticket, kind="next_response").order_by("round")
    assert [(one.state, one.started_at, one.ended_at) for one in rounds] == [
        ("breached", MONDAY + hours(1), MONDAY + hours(4)),
        ("running", MONDAY + hours(6), None),
    ]
