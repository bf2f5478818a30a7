"""What is said in a ticket, and where it leads."""

import datetime as dt

import make
import pytest
import time_machine

from daytwo_server.core import search
from daytwo_server.core.facts import load
from daytwo_server.core.models import AuditEntry, Fact
from daytwo_server.tickets import facts, services
from daytwo_server.tickets.models import Message, Status, Ticket
from daytwo_server.tickets.services import Answered, Change, Impossible, Invalid, NewTicket, Said

pytestmark = pytest.mark.django_db

WEEK = dt.timedelta(days=7)


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


def told():
    return [load(row) for row in Fact.objects.order_by("pk")]


def say(ticket, words="It happens again.", **fields):
    return services.customer_reply(ticket, Said(content=words, **fields), customer=ticket.customer)


def lines(ticket):
    return list(Message.objects.filter(ticket=ticket).order_by("pk").values_list("kind", "author_type", "content"))


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana())


def test_a_new_ticket_is_open_with_what_was_asked_as_its_first_message(ticket):
    row = fresh(ticket)
    assert (row.status, row.priority, row.category, row.code) == ("open", "medium", "other", f"T-{row.pk}")
    assert lines(ticket) == [("public", "customer", "The CSV export of March has no rows at all.")]
    message = Message.objects.get()
    assert told() == [
        facts.TicketOpened(ticket=ticket.pk, message=message.pk, customer=ticket.customer_id, channel="api")
    ]
    assert search.ids("ticket", "csv export march") == [ticket.pk]


def test_numbers_grow_and_none_is_given_twice(ticket):
    second = make.ticket()
    Ticket.objects.filter(pk=second.pk).delete()
    assert make.ticket().pk > second.pk > ticket.pk


def test_the_first_answer_is_the_first_response_for_ever(ticket, bob):
    with time_machine.travel(make.moment("2026-12-01T10:00:00"), tick=False):
        services.reply(ticket, "Which month?", actor=bob)
    with time_machine.travel(make.moment("2026-12-01T11:00:00"), tick=False):
        services.reply(ticket, "Or all of them?", actor=bob)
    row = fresh(ticket)
    assert row.first_response_at == make.moment("2026-12-01T10:00:00")
    assert row.last_agent_at == make.moment("2026-12-01T11:00:00")
    assert (row.status, row.waiting_since) == ("waiting_customer", None)


def test_a_note_is_no_response_and_changes_no_status(ticket, bob):
    message = services.note(ticket, "They are on the old plan.", actor=bob)
    row = fresh(ticket)
    assert (row.status, row.first_response_at, row.last_agent_at) == ("open", None, None)
    assert message.is_internal
    assert facts.TicketNoted(ticket=ticket.pk, message=message.pk) in told()


def test_every_change_of_status_leaves_one_internal_message_and_no_change_none(ticket, bob):
    services.reply(ticket, "Which month?", actor=bob)
    services.reply(ticket, "Or all of them?", actor=bob)
    services.set_status(ticket, Status.WAITING_CUSTOMER, actor=bob)
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    system = Message.objects.filter(ticket=ticket, kind="system").order_by("pk")
    assert list(system.values_list("content", "before", "after", "author")) == [
        ("Ticket status changed to: waiting_customer", "open", "waiting_customer", bob.pk),
        ("Ticket status changed to: resolved", "waiting_customer", "resolved", bob.pk),
    ]
    assert all(message.is_internal for message in system)


def test_send_and_resolve_is_one_message_and_one_transition(ticket, bob):
    services.reply(ticket, "It is fixed.", actor=bob, status=Status.RESOLVED)
    assert lines(ticket)[1:] == [
        ("public", "agent", "It is fixed."),
        ("system", "system", "Ticket status changed to: resolved"),
    ]
    assert fresh(ticket).resolved_at is not None


def test_an_answer_on_a_resolved_ticket_leaves_it_resolved(ticket, bob):
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    services.reply(ticket, "One more thing.", actor=bob)
    assert fresh(ticket).status == "resolved"


def test_a_customers_reply_within_a_week_opens_a_resolved_ticket_again(ticket, bob):
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    with time_machine.travel(fresh(ticket).resolved_at + WEEK, tick=False):
        where, _ = say(ticket)
    row = fresh(ticket)
    assert where == row
    assert (row.status, row.resolved_at, row.reopened_count) == ("pending", None, 1)
    # The period in which it was resolved stays readable in its history.
    assert list(row.messages.exclude(after="").order_by("pk").values_list("before", "after")) == [
        ("open", "resolved"), ("resolved", "pending"),
    ]  # fmt: skip


def test_a_reply_after_a_week_opens_a_linked_follow_up(ticket, bob):
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    with time_machine.travel(fresh(ticket).resolved_at + WEEK + dt.timedelta(seconds=1), tick=False):
        where, message = say(ticket, "It is empty again.")
    assert where != ticket
    assert (where.follow_up_of_id, where.subject, where.status) == (ticket.pk, ticket.subject, "open")
    assert message.ticket_id == where.pk
    assert fresh(ticket).status == "resolved"
    assert told()[-1].follow_up_of == ticket.pk


def test_who_answers_a_closed_ticket_twice_opens_one_follow_up(ticket, bob):
    services.change(ticket, Change(status=Status.RESOLVED), actor=bob)
    services.change(ticket, Change(status=Status.CLOSED), actor=bob)
    first, _ = say(ticket, "Again.")
    second, _ = say(ticket, "And again.")
    assert first == second
    assert [content for *_, content in lines(first) if "gain" in content] == ["Again.", "And again."]
    assert lines(ticket)[0] == lines(ticket)[0]
    assert Ticket.objects.count() == 2


def test_a_reply_keeps_who_works_on_it(ticket, bob):
    services.assign(ticket, bob.email, actor=bob)
    assert fresh(ticket).status == "in_progress"
    say(ticket)
    row = fresh(ticket)
    assert (row.status, row.assignee_id) == ("pending", bob.pk)


def test_a_closed_ticket_does_not_change_for_agents_either(ticket, bob):
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    services.set_status(ticket, Status.CLOSED, actor=bob)
    before = Ticket.objects.filter(pk=ticket.pk).values().get()
    attempts = [
        lambda: services.reply(ticket, "Hello", actor=bob),
        lambda: services.note(ticket, "Hello", actor=bob),
        lambda: services.assign(ticket, bob.email, actor=bob),
        lambda: services.set_status(ticket, Status.OPEN, actor=bob),
        lambda: services.change(ticket, Change(tags=["late"]), actor=bob),
        lambda: services.merge(ticket, make.ticket(ticket.customer), actor=bob),
        lambda: services.merge(make.ticket(ticket.customer), ticket, actor=bob),
    ]
    for attempt in attempts:
        with pytest.raises(Impossible, match="closed"):
            attempt()
    services.set_status(ticket, Status.CLOSED, actor=bob)
    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before
    assert Message.objects.filter(ticket=ticket).count() == 3


def test_a_status_that_cannot_be_reached_takes_the_reply_back_too(ticket, bob):
    with pytest.raises(Impossible, match="Resolve it first"):
        services.reply(ticket, "Bye.", actor=bob, status=Status.CLOSED)
    assert len(lines(ticket)) == 1


def test_sending_is_stopped_when_somebody_answered_since(ticket, alice, bob):
    seen = Message.objects.get(ticket=ticket).pk
    services.note(ticket, "A note is no answer.", actor=alice)
    services.reply(ticket, "Which month?", actor=alice, seen=seen)
    with pytest.raises(Answered, match="Somebody answered since"):
        services.reply(ticket, "What month?", actor=bob, seen=seen)
    last = Message.objects.filter(ticket=ticket).latest("pk").pk
    assert services.reply(ticket, "And which year?", actor=bob, seen=last).pk > last


@pytest.mark.parametrize("words", ["", "  \n ", "x" * 20_001])
def test_an_answer_without_words_or_with_too_many_is_none(ticket, bob, words):
    with pytest.raises(Invalid) as problem:
        services.reply(ticket, words, actor=bob)
    assert list(problem.value.fields) == ["content"]


def test_the_same_key_opens_and_says_things_once(bob):
    dana = make.dana()
    new = NewTicket(subject="Exports are empty", content="The CSV export has no rows.", idempotency_key="k1")
    one, two = (services.open_ticket(new, customer=dana)[0] for _ in range(2))
    assert one == two
    say(one, "Still.", idempotency_key="r1")
    say(one, "Still.", idempotency_key="r1")
    assert [content for *_, content in lines(one)].count("Still.") == 1
    other = NewTicket(subject="Something else", content="The CSV export has no rows.", idempotency_key="k1")
    with pytest.raises(Invalid, match="use another"):
        services.open_ticket(other, customer=dana)
    with pytest.raises(Invalid, match="use another"):
        say(one, "Other words.", idempotency_key="r1")
    assert services.open_ticket(other, customer=make.customer())[0] != one


def test_the_same_key_opens_one_follow_up(ticket, bob):
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    services.set_status(ticket, Status.CLOSED, actor=bob)
    one, two = (say(ticket, "Again.", idempotency_key="r1") for _ in range(2))
    assert one == two
    assert Message.objects.filter(ticket=one[0]).count() == 1


def test_what_agents_do_is_audited_without_a_word_of_what_was_said(ticket, bob):
    services.reply(ticket, "Which month was it?", actor=bob)
    services.note(ticket, "Old plan.", actor=bob)
    services.change(ticket, Change(status=Status.RESOLVED, assignee=bob.email, priority="high"), actor=bob)
    entries = AuditEntry.objects.order_by("pk").values_list("action", "ref_kind", "ref_id", "actor_id")
    assert list(entries) == [
        (f"tickets:ticket:{verb}", "ticket", str(ticket.pk), str(bob.pk))
        for verb in ("replied", "noted", "changed", "assigned", "status-set")
    ]
    assert "month" not in str(list(AuditEntry.objects.values()))


def test_a_resolved_ticket_closes_by_itself_after_a_week(ticket, bob):
    other = make.ticket()
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    resolved = fresh(ticket).resolved_at
    with time_machine.travel(resolved + WEEK, tick=False):
        assert services.close_resolved() == 0
    with time_machine.travel(resolved + WEEK + dt.timedelta(seconds=1), tick=False):
        assert services.close_resolved() == 1
        assert services.close_resolved() == 0
    row = fresh(ticket)
    assert (row.status, row.resolved_at) == ("closed", resolved)
    assert row.closed_at > resolved
    assert lines(ticket)[-1] == ("system", "system", "Ticket status changed to: closed")
    assert fresh(other).status == "open"


def test_a_bounce_gives_the_turn_back_once(ticket, bob):
    first = services.reply(ticket, "Which month?", actor=bob)
    last = services.reply(ticket, "Or all of them?", actor=bob)
    services.undelivered(f"ticket_message:{first.pk}")
    assert fresh(ticket).status == "waiting_customer"
    for about in (f"ticket_message:{last.pk}",) * 2:
        services.undelivered(about)
    for nothing in ("", "ticket_message:", "ticket_message:99999999", "invitation:1"):
        services.undelivered(nothing)
    assert fresh(ticket).status == "pending"
    told = [content for kind, _, content in lines(ticket) if kind == "system"][1:]
    assert told.count("Ticket status changed to: pending") == 1
    assert set(told) == {"Ticket status changed to: pending", "A mail to the customer did not arrive"}


def test_a_rating_is_kept_on_a_closed_ticket_and_can_be_changed(ticket, bob):
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    services.set_status(ticket, Status.CLOSED, actor=bob)
    services.rate(ticket, 2, "Slow.")
    services.rate(ticket, 5)
    row = fresh(ticket)
    assert (row.rating, row.rating_comment, row.status) == (5, "", "closed")
    assert [fact.rating for fact in told() if isinstance(fact, facts.TicketRated)] == [2, 5]
