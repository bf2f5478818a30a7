"""The table of transitions, and what changes with a status."""

import datetime as dt

import make
import pytest

from daytwo_server.tickets import machine
from daytwo_server.tickets.machine import Event, Impossible
from daytwo_server.tickets.models import Status, Ticket

NOW = make.moment()
ACTIVE = ["open", "pending", "in_progress", "waiting_customer"]


def reachable(event):
    found = {}
    for status in Status.values:
        try:
            found[status] = machine.after(event, status).value
        except Impossible:
            found[status] = None
    return found


def test_an_agents_reply_waits_for_the_customer_and_leaves_resolved_alone():
    assert reachable(Event.AGENT_REPLIED) == {
        **dict.fromkeys(ACTIVE, "waiting_customer"), "resolved": "resolved", "closed": None,
    }  # fmt: skip


def test_a_customers_reply_makes_it_our_turn_whatever_open_state_it_was_in():
    assert reachable(Event.CUSTOMER_REPLIED) == {
        **dict.fromkeys(ACTIVE, "pending"),
        "resolved": "pending",
        "closed": None,
    }


def test_assigning_starts_work_that_had_not_been_started():
    assert reachable(Event.ASSIGNED) == {
        "open": "in_progress", "pending": "in_progress", "in_progress": "in_progress",
        "waiting_customer": "waiting_customer", "resolved": "resolved", "closed": None,
    }  # fmt: skip


def test_a_note_changes_no_status():
    assert reachable(Event.NOTED) == {**{status: status for status in [*ACTIVE, "resolved"]}, "closed": None}


def test_only_what_is_resolved_can_be_closed_and_nothing_leads_out_of_closed():
    assert reachable(Event.SET_CLOSED) == {**dict.fromkeys(ACTIVE), "resolved": "closed", "closed": "closed"}
    out = {event for event in Event if machine.TRANSITIONS[event].get(Status.CLOSED, Status.CLOSED) != Status.CLOSED}
    assert out == set()


def test_a_bounce_gives_the_turn_back_to_us():
    assert reachable(Event.BOUNCED)["waiting_customer"] == "pending"
    assert reachable(Event.BOUNCED)["resolved"] == "resolved"


def test_every_event_has_a_row_and_every_status_an_event_of_its_own():
    assert set(machine.TRANSITIONS) == set(Event)
    assert {machine.to(status) for status in Status} <= set(Event)


@pytest.mark.parametrize(
    ("status", "says"), [("closed", "a closed ticket does not change"), ("open", "Resolve it first")]
)
def test_a_refusal_says_why(status, says):
    event = Event.CHANGED if status == "closed" else Event.SET_CLOSED
    with pytest.raises(Impossible, match=says):
        machine.after(event, status)


def test_closing_keeps_when_it_was_resolved():
    resolved = Ticket(status="resolved", resolved_at=NOW)
    later = NOW + dt.timedelta(days=8)
    assert machine.stamps(resolved, Status.CLOSED, later) == {
        "status": "closed", "status_at": later, "resolved_at": NOW, "closed_at": later, "waiting_since": None,
    }  # fmt: skip


def test_reopening_forgets_when_it_was_resolved_and_counts():
    resolved = Ticket(status="resolved", resolved_at=NOW, reopened_count=1)
    assert machine.stamps(resolved, Status.PENDING, NOW) == {
        "status": "pending", "status_at": NOW, "resolved_at": None, "reopened_count": 2, "waiting_since": NOW,
    }  # fmt: skip


def test_the_same_status_again_is_no_change():
    assert machine.stamps(Ticket(status="open"), Status.OPEN, NOW) == {}


def test_a_resolved_ticket_takes_replies_for_seven_days():
    week = dt.timedelta(days=7)
    assert machine.can_be_reopened("resolved", NOW, NOW + week)
    assert not machine.can_be_reopened("resolved", NOW, NOW + week + dt.timedelta(seconds=1))
    assert not machine.can_be_reopened("closed", NOW, NOW)
    assert machine.can_be_reopened("open", None, NOW)
