"""Several at once: numbers are different, and what happens once happens once."""

from concurrent.futures import ThreadPoolExecutor

import make
import pytest
from django.db import connections

from daytwo_server.tickets import services
from daytwo_server.tickets.models import Message, Status, Ticket
from daytwo_server.tickets.services import Impossible, NewTicket, Said

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*functions):
    """Their answers, or the `Impossible` that they raised."""

    def run(function):
        try:
            return function()
        except Impossible as problem:
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def test_tickets_opened_at_once_have_numbers_of_their_own():
    dana = make.dana()
    new = NewTicket(subject="Exports are empty", content="The CSV export has no rows.")
    opened = at_once(*[lambda: services.open_ticket(new, customer=dana)] * 12)
    assert len({ticket.pk for ticket, _ in opened}) == 12
    assert len({ticket.uid for ticket, _ in opened}) == 12


def test_one_key_used_at_once_opens_one_ticket_and_says_one_thing():
    dana = make.dana()
    new = NewTicket(subject="Exports are empty", content="The CSV export has no rows.", idempotency_key="k")
    opened = at_once(*[lambda: services.open_ticket(new, customer=dana)] * 6)
    assert len({ticket.pk for ticket, _ in opened}) == Ticket.objects.count() == 1
    said = Said(content="Still.", idempotency_key="r")
    replies = at_once(*[lambda: services.customer_reply(opened[0][0], said, customer=dana)] * 6)
    assert len({message.pk for _, message in replies}) == 1


def test_two_first_answers_at_once_leave_one_first_response():
    ticket, bob = make.ticket(), make.bob()
    at_once(*[lambda: services.reply(ticket, "Which month?", actor=bob)] * 4)
    row = Ticket.objects.get(pk=ticket.pk)
    first = Message.objects.filter(ticket=ticket, author_type="agent").order_by("pk").first()
    assert row.first_response_at == first.created_at
    assert Message.objects.filter(ticket=ticket, kind="system").count() == 1


def test_a_reply_and_a_close_at_once_end_in_a_follow_up_or_an_open_ticket():
    ticket, bob = make.ticket(), make.bob()
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    (where, _), closed = at_once(
        lambda: services.customer_reply(ticket, Said(content="Again."), customer=ticket.customer),
        lambda: services.set_status(ticket, Status.CLOSED, actor=bob),
    )
    row = Ticket.objects.get(pk=ticket.pk)
    if where == ticket:
        assert row.status == "pending"
        assert isinstance(closed, Impossible)
    else:
        assert (row.status, where.follow_up_of_id) == ("closed", ticket.pk)


def test_several_replies_at_once_to_a_closed_ticket_open_one_follow_up():
    ticket, bob = make.ticket(), make.bob()
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    services.set_status(ticket, Status.CLOSED, actor=bob)
    again = Said(content="Again.")
    replies = at_once(*[lambda: services.customer_reply(ticket, again, customer=ticket.customer)] * 5)
    assert len({where.pk for where, _ in replies}) == 1
    assert Message.objects.filter(ticket=replies[0][0], kind="public").count() == 5


def test_merging_two_tickets_into_each_other_at_once_merges_one():
    one = make.ticket()
    other = make.ticket(one.customer)
    bob = make.bob()
    answers = at_once(lambda: services.merge(one, other, actor=bob), lambda: services.merge(other, one, actor=bob))
    assert sum(isinstance(answer, Impossible) for answer in answers) == 1
    assert sorted(Ticket.objects.values_list("status", flat=True)) == ["closed", "open"]
