"""Whatever happens to a ticket, in whatever order: what must hold then."""

import datetime as dt

import make
import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daytwo_server.core.facts import load
from daytwo_server.core.models import Fact
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Message, Status, Ticket
from daytwo_server.tickets.services import Change, Impossible, Said

pytestmark = pytest.mark.django_db

START = make.moment("2026-12-01T00:00:00")
HOURS = st.sampled_from([0, 1, 30, 24 * 6, 24 * 8])
STATUSES = st.sampled_from(list(Status))
EVENTS = st.lists(
    st.tuples(
        HOURS,
        st.one_of(
            st.tuples(st.just("customer_reply")),
            st.tuples(st.just("reply"), st.none() | STATUSES),
            st.tuples(st.just("note")),
            st.tuples(st.just("set_status"), STATUSES),
            st.tuples(st.just("assign"), st.booleans()),
            st.tuples(st.just("tag"), st.sampled_from(["slow", "vip"])),
            st.tuples(st.just("age")),
            st.tuples(st.just("bounce")),
            st.tuples(st.just("rate"), st.integers(1, 5)),
            st.tuples(st.just("merge")),
        ),
    ),
    max_size=14,
)
UNTOUCHED_BY_RATING = {"rating", "rating_comment", "rated_at"}


def do(ticket, other, what, agent):
    verb, *args = what
    do = {
        "customer_reply": lambda: services.customer_reply(ticket, Said(content="Hello?"), customer=ticket.customer),
        "reply": lambda: services.reply(ticket, "Hello.", actor=agent, status=args[0]),
        "note": lambda: services.note(ticket, "Odd.", actor=agent),
        "set_status": lambda: services.set_status(ticket, args[0], actor=agent),
        "assign": lambda: services.assign(ticket, agent.email if args[0] else "", actor=agent),
        "tag": lambda: services.change(ticket, Change(add_tags=[args[0]]), actor=agent),
        "rate": lambda: services.rate(ticket, args[0]),
        "merge": lambda: services.merge(ticket, other, actor=agent),
        "bounce": lambda: services.undelivered(last_answer(ticket)),
        "age": services.close_resolved,
    }
    return do[verb]()


def last_answer(ticket):
    answers = Message.objects.filter(ticket=ticket, kind="public", author_type="agent").order_by("pk")
    return f"ticket_message:{last.pk if (last := answers.last()) else 0}"


def check(row):
    done = row.status in ("resolved", "closed")
    assert (row.resolved_at is not None) == done
    assert (row.closed_at is not None) == (row.status == "closed")
    assert row.merged_into_id is None or row.status == "closed"
    history = list(row.messages.exclude(after="").order_by("pk").values_list("before", "after"))
    assert [before for before, _ in history] == ["open", *(after for _, after in history)][: len(history)]
    assert (history[-1][1] if history else "open") == row.status
    assert all(before != after for before, after in history)
    assert row.reopened_count == sum(before == "resolved" and after != "closed" for before, after in history)
    told = [load(fact) for fact in Fact.objects.filter(name="TicketStatusChanged").order_by("pk")]
    assert [(fact.before, fact.after) for fact in told if fact.ticket == row.pk] == history
    answered = row.messages.filter(kind="public", author_type="agent").order_by("pk").first()
    assert row.first_response_at == (answered.created_at if answered else None)
    assert (row.waiting_since is not None) == (row.status in ("open", "pending", "in_progress"))


@given(events=EVENTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_ticket_is_never_in_a_state_that_contradicts_itself(events, bob):
    with time_machine.travel(START, tick=False) as traveller:
        ticket = make.ticket()
        other = make.ticket(ticket.customer)
        for hours, what in events:
            traveller.shift(dt.timedelta(hours=hours))
            before = Ticket.objects.filter(pk=ticket.pk).values().get()
            said = Message.objects.filter(ticket=ticket).count()
            try:
                do(ticket, other, what, bob)
                refused = False
            except Impossible:
                refused = True
            row = Ticket.objects.get(pk=ticket.pk)
            check(row)
            check(Ticket.objects.get(pk=other.pk))
            after = Ticket.objects.filter(pk=ticket.pk).values().get()
            if before["first_response_at"]:
                assert after["first_response_at"] == before["first_response_at"]
            if refused or before["status"] == "closed":
                kept = {name: value for name, value in before.items() if name not in UNTOUCHED_BY_RATING}
                assert kept.items() <= after.items()
                assert Message.objects.filter(ticket=ticket).count() == said
