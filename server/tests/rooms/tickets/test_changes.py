"""Status, assignee, properties, in one and in many; merging."""

import make
import pytest

from daytwo_server.core import preferences
from daytwo_server.core.facts import load
from daytwo_server.core.models import Fact
from daytwo_server.tickets import facts, services
from daytwo_server.tickets.models import Message, Status, Ticket
from daytwo_server.tickets.selectors import customers as theirs
from daytwo_server.tickets.selectors import tickets as ours
from daytwo_server.tickets.services import Change, Impossible, Invalid, Said

pytestmark = pytest.mark.django_db


def told(kind):
    return [load(row) for row in Fact.objects.filter(name=kind.__name__).order_by("pk")]


def tags(ticket):
    return sorted(ticket.tags.values_list("name", flat=True))


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana())


def test_assigning_is_told_and_noted_and_undone_by_assigning_to_nobody(ticket, alice, bob):
    services.assign(ticket, "Bob@Example.com", actor=alice)
    services.assign(ticket, bob.email, actor=alice)
    services.assign(ticket, "", actor=alice)
    assert told(facts.TicketAssigned) == [
        facts.TicketAssigned(ticket=ticket.pk, assignee=bob.pk, by=alice.pk),
        facts.TicketAssigned(ticket=ticket.pk, assignee=None, by=alice.pk),
    ]
    system = Message.objects.filter(ticket=ticket, kind="system").order_by("pk").values_list("content", flat=True)
    assert list(system) == ["Assigned to Bob", "Ticket status changed to: in_progress", "Assigned to nobody"]
    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.assignee_id, row.status) == (None, "in_progress")


def test_a_status_that_is_wanted_too_wins_over_starting_work(ticket, bob):
    services.change(ticket, Change(assignee=bob.email, status=Status.WAITING_CUSTOMER), actor=bob)
    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.assignee_id, row.status) == (bob.pk, "waiting_customer")


@pytest.mark.parametrize("email", ["charlie@example.com", "nobody@example.com", "a\x00b@example.com"])
def test_who_is_no_member_cannot_be_assigned(ticket, bob, charlie, email):
    with pytest.raises(Invalid) as problem:
        services.change(ticket, Change(assignee=email, priority="urgent"), actor=bob)
    assert list(problem.value.fields) == ["assignedTo"]
    assert Ticket.objects.get(pk=ticket.pk).priority == "medium"


def test_tags_are_words_in_lower_case_each_once(ticket, bob):
    services.change(ticket, Change(tags=[" VIP ", "vip", "Big  Export"]), actor=bob)
    assert tags(ticket) == ["big export", "vip"]
    services.change(ticket, Change(add_tags=["march"], remove_tags=["VIP", "gone"]), actor=bob)
    assert tags(ticket) == ["big export", "march"]


@pytest.mark.parametrize("bad", [[""], ["x" * 51], [str(n) for n in range(21)], ["a\x07b"]])
def test_tags_that_are_none_are_refused(ticket, bob, bad):
    with pytest.raises(Invalid):
        services.change(ticket, Change(tags=bad), actor=bob)
    assert tags(ticket) == []


def test_what_is_so_already_is_no_change(ticket, bob):
    services.change(ticket, Change(priority="high", tags=["vip"], team="Money"), actor=bob)
    before = Ticket.objects.filter(pk=ticket.pk).values().get()
    services.change(ticket, Change(priority="high", tags=["vip"], team="Money", status=Status.OPEN), actor=bob)
    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before


def test_many_are_changed_and_what_is_impossible_for_one_stops_no_other(ticket, bob):
    closed, other = make.ticket(), make.ticket()
    services.set_status(closed, Status.RESOLVED, actor=bob)
    services.set_status(closed, Status.CLOSED, actor=bob)
    done = services.change_many([ticket.pk, closed.pk, other.pk, 999], Change(priority="urgent"), actor=bob)
    assert done.changed == [ticket.pk, other.pk]
    assert set(done.refused) == {closed.pk, 999}
    assert "closed" in done.refused[closed.pk]
    with pytest.raises(Invalid):
        services.change_many(range(1, 300), Change(priority="low"), actor=bob)


def test_a_merged_ticket_is_closed_and_its_messages_are_shown_in_the_other(ticket, bob):
    other = make.ticket(ticket.customer, "Still empty", content="Is anybody reading this at all?")
    services.note(ticket, "Same thing.", actor=bob)
    services.merge(ticket, other, actor=bob)
    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.status, row.merged_into_id) == ("closed", other.pk)
    assert told(facts.TicketMerged) == [facts.TicketMerged(ticket=ticket.pk, into=other.pk)]
    said = [message.content for message in ours.conversation(other)]
    assert {
        "The CSV export of March has no rows at all.",
        "Same thing.",
        f"T-{ticket.pk} was merged into this ticket",
    } <= set(said)
    assert [message.content for message in theirs.conversation(other)] == [
        "The CSV export of March has no rows at all.", "Is anybody reading this at all?",
    ]  # fmt: skip


def test_a_question_that_nobody_answered_is_not_lost_by_a_merge(ticket, bob):
    services.reply(ticket, "Which month?", actor=bob)
    asked = make.ticket(ticket.customer)
    services.merge(asked, ticket, actor=bob)
    now_there = Ticket.objects.get(pk=ticket.pk)
    assert (now_there.status, now_there.waiting_since) == ("pending", asked.created_at)


@pytest.mark.parametrize("the_older", ["is merged", "takes it in"])
def test_of_two_questions_that_wait_the_older_wait_goes_on(ticket, bob, the_older):
    later = make.ticket(ticket.customer)
    one, into = (ticket, later) if the_older == "is merged" else (later, ticket)
    services.merge(one, into, actor=bob)
    assert Ticket.objects.get(pk=into.pk).waiting_since == ticket.created_at < later.created_at


def test_what_the_customer_replies_to_a_merged_ticket_goes_to_the_other(ticket, bob):
    other, third = make.ticket(ticket.customer), make.ticket(ticket.customer)
    services.merge(ticket, other, actor=bob)
    services.merge(other, third, actor=bob)
    assert Ticket.objects.get(pk=ticket.pk).merged_into_id == third.pk
    where, message = services.customer_reply(ticket, Said(content="Hello?"), customer=ticket.customer)
    assert (where.pk, message.ticket_id) == (third.pk, third.pk)
    with pytest.raises(Impossible, match=f"merged into T-{third.pk}"):
        services.reply(ticket, "Hello.", actor=bob)


def test_tickets_of_two_customers_are_not_merged_and_none_into_itself(ticket, bob):
    with pytest.raises(Impossible, match="two customers"):
        services.merge(ticket, make.ticket(make.customer()), actor=bob)
    with pytest.raises(Impossible, match="itself"):
        services.merge(ticket, ticket, actor=bob)
    assert Ticket.objects.get(pk=ticket.pk).status == "open"


def begin(client, ticket, text="Which month?", version=0):
    return client.post("/drafts/", {"key": f"ticket.{ticket.pk}.reply", "text": text, "version": version}).json()


def test_who_begins_to_answer_a_ticket_of_nobody_gets_it(signed_in):
    nia, ticket = make.member("Nia", role="agent"), make.ticket(make.dana())
    client = signed_in(nia)
    begin(client, ticket)
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (nia, Status.IN_PROGRESS)
    assert ticket.messages.filter(content="Assigned to Nia").count() == 1
    services.assign(ticket, "", actor=nia)
    begin(client, ticket, "Which month was it?", 1)
    ticket.refresh_from_db()
    assert ticket.assignee is None, "who gave it away does not get it back by going on"


def test_writing_takes_no_ticket_of_another_no_closed_one_and_none_where_that_is_off(signed_in):
    nia, tom, dana = make.member("Nia", role="agent"), make.member("Tom", role="agent"), make.dana()
    toms, done, off, noted, gone = (make.ticket(dana) for _ in range(5))
    services.assign(toms, tom.email, actor=tom)
    services.set_status(done, Status.RESOLVED, actor=tom)
    client = signed_in(nia)
    begin(client, toms)
    begin(client, done)
    client.post("/drafts/", {"key": f"ticket.{noted.pk}.note", "text": "Odd.", "version": 0})
    gone.delete()
    assert begin(client, gone) == {"version": 1, "other": "", "sent": False}
    begin(signed_in(make.bob()), noted)  # an engineer answers, but does not manage
    preferences.change({"take_by_writing": "off"}, versions={}, actor=nia)
    begin(client, off)
    assert [Ticket.objects.get(pk=one.pk).assignee for one in (toms, done, noted, off)] == [tom, None, None, None]


def test_of_two_who_begin_at_once_the_first_gets_it(signed_in):
    nia, tom, ticket = make.member("Nia", role="agent"), make.member("Tom", role="agent"), make.ticket(make.dana())
    begin(signed_in(tom), ticket)
    begin(signed_in(nia), ticket)
    assert Ticket.objects.get(pk=ticket.pk).assignee == tom
