"""What is promised about a ticket that others were merged into: the same as if all had been written there."""

from __future__ import annotations

import make
import pytest
import time_machine
from rooms.sla.counting import MONDAY, clocks, hours, promise, states, told

from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.sla.models import Clock
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Status, Ticket
from daytwo_server.tickets.services import Said

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def answer(ticket, bob, **fields):
    return tickets.reply(ticket, "Which month?", actor=bob, **fields)


def write(ticket, text="Still empty."):
    return tickets.customer_reply(ticket, Said(content=text), customer=ticket.customer)


def shown(ticket):
    run_due_jobs(tick=False)
    fields = ("kind", "round", "state", "ticking", "elapsed_s", "started_at", "ended_at", "due_at")
    return list(Clock.objects.filter(ticket=ticket.pk).order_by("kind", "round").values_list(*fields))


def test_what_the_customer_asked_elsewhere_waits_since_they_asked_it(now, bob):
    promise(first=1, following=2, resolved=8)
    other = make.ticket()
    answer(other, bob)
    now.shift(hours(1))
    one = make.ticket(other.customer)
    now.shift(hours(0.5))
    tickets.merge(one, other, actor=bob)
    found = clocks(other)["next_response"]
    assert (found.state, found.started_at, found.due_at) == ("running", MONDAY + hours(1), MONDAY + hours(3))
    assert Ticket.objects.get(pk=other.pk).due_at == MONDAY + hours(3)


def test_promises_are_the_same_whether_it_was_written_here_or_merged_into_this(now, bob):
    promise(first=1, following=2, resolved=8)
    apart, together = make.ticket(), make.ticket()
    for one in (apart, together):
        answer(one, bob)
    now.shift(hours(1))
    second = make.ticket(apart.customer)
    write(together)
    now.shift(hours(0.5))
    answer(second, bob)
    answer(together, bob)
    now.shift(hours(1))
    write(second)
    write(together)
    now.shift(hours(0.25))
    run_due_jobs(tick=False)
    tickets.merge(second, apart, actor=bob)
    assert shown(apart) == shown(together)
    now.shift(hours(0.25))
    for one in (apart, together):
        answer(one, bob, status=Status.RESOLVED)
    assert shown(apart) == shown(together)
    assert set(states(apart).values()) == {"met"}


def test_an_older_ticket_brings_its_beginning_along(now, bob):
    promise(first=4, following=2, resolved=8)
    old = make.ticket()
    now.shift(hours(1))
    new = make.ticket(old.customer)
    run_due_jobs(tick=False)
    tickets.merge(old, new, actor=bob)
    found = clocks(new)
    assert found["first_response"].due_at == MONDAY + hours(4)
    assert found["resolution"].due_at == MONDAY + hours(8)


def test_what_was_merged_before_comes_along(now, bob):
    promise(first=1, following=2, resolved=None)
    last = make.ticket()
    answer(last, bob)
    now.shift(hours(1))
    first, middle = make.ticket(last.customer), make.ticket(last.customer)
    tickets.merge(first, middle, actor=bob)
    now.shift(hours(0.5))
    tickets.merge(middle, last, actor=bob)
    assert clocks(last)["next_response"].due_at == MONDAY + hours(3)


def test_a_merged_ticket_promises_nothing_of_its_own_and_counts_for_nothing(now, bob):
    promise()
    one = make.ticket()
    other = make.ticket(one.customer)
    run_due_jobs(tick=False)
    assert states(one) != {}
    tickets.merge(one, other, actor=bob)
    assert states(one) == {}
    assert Ticket.objects.get(pk=one.pk).due_at is None
    assert Ticket.objects.get(pk=other.pk).due_at == MONDAY + hours(1)


def test_a_breach_of_the_time_apart_is_not_told_of_the_ticket_it_came_to(now, bob):
    promise(first=8, following=1, resolved=None)
    other = make.ticket()
    answer(other, bob)
    one = make.ticket(other.customer)
    run_due_jobs(tick=False)
    now.shift(hours(2))  # a first reply would have had eight hours, a later one had one
    tickets.merge(one, other, actor=bob)
    assert states(other)["next_response"] == "breached"
    now.shift(hours(1))
    run_due_jobs(tick=False)
    assert told("SlaBreached") == []


def test_a_breach_after_the_merge_is_told(now, bob):
    promise(first=8, following=2, resolved=None)
    other = make.ticket()
    answer(other, bob)
    one = make.ticket(other.customer)
    now.shift(hours(1))
    tickets.merge(one, other, actor=bob)
    run_due_jobs(tick=False)
    now.shift(hours(1))
    run_due_jobs(tick=False)
    assert [(fact.ticket, fact.due_at) for fact in told("SlaBreached")] == [(other.pk, MONDAY + hours(2))]
