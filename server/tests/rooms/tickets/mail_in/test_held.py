"""Mail of somebody who takes no part in the ticket waits for one of us."""

import pytest
from rooms.tickets.mailing import (
    STRANGER,
    address_in,
    answered,
    arrives,
    fresh,
    mails,
    message_of,
    said_in,
    settle,
    ticket_of,
)

from daytwo_server.mail import threads
from daytwo_server.mail.models import InboundMail
from daytwo_server.tickets import services
from daytwo_server.tickets.models import HeldMail, Message, Participant, Status
from daytwo_server.tickets.services import holding
from daytwo_server.tickets.services.holding import NotTaken

pytestmark = pytest.mark.django_db


def test_a_held_mail_is_taken_with_its_files_once_somebody_accepts_it(ticket, agent):
    mail = answered(ticket, agent)
    body = (
        'Content-Type: text/plain\r\n\r\nI pay for it, so here.\r\n--x\r\nContent-Type: text/html; name="a.html"\r\n'
        'Content-Disposition: attachment; filename="a.html"\r\n\r\n<script>alert(1)</script>\r\n--x--'
    )
    arrives(
        f"--x\r\n{body}", sender="boss@example.com", to=address_in(mail), Content_Type='multipart/mixed; boundary="x"'
    )
    outcome = holding.accept(HeldMail.objects.get(), actor=agent)

    assert (outcome.result, said_in(ticket)[-1]) == ("appended", "I pay for it, so here.")
    assert [file.name for file in message_of(outcome).attachments.all()] == ["a.html"]
    assert message_of(outcome).customer.email == "boss@example.com"
    assert fresh(ticket).status == "pending"
    assert InboundMail.objects.get().result == "appended"
    assert arrives("Again.", sender="boss@example.com", to=address_in(mail)).result == "held"
    with pytest.raises(NotTaken):
        holding.accept(HeldMail.objects.earliest("pk"), actor=agent)


def test_an_accepted_sender_speaks_from_then_on_and_gets_nothing(ticket, agent):
    mail = answered(ticket, agent)
    for words in ("One.", "Two."):
        arrives(words, sender="boss@example.com", to=address_in(mail))
    holding.accept(HeldMail.objects.latest("pk"), actor=agent, sender_too=True)
    assert sorted(said_in(ticket)[-2:]) == ["One.", "Two."]
    assert arrives("Three.", sender="boss@example.com", Subject=f"Re: x [#{ticket.pk}]").result == "appended"
    services.reply(ticket, "Thank you both.", actor=agent)
    settle()
    assert mails(to="boss@example.com") == []
    holding.let_out(ticket, Participant.objects.get().pk, actor=agent)
    assert arrives("Four.", sender="boss@example.com", to=address_in(mail)).result == "held"


def test_who_was_let_in_opens_no_ticket_of_their_own_after_the_end(ticket, agent):
    mail = answered(ticket, agent)
    arrives("One.", sender="boss@example.com", to=address_in(mail))
    holding.accept(HeldMail.objects.get(), actor=agent, sender_too=True)
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(ticket, status, actor=agent)
    follow_up = ticket_of(arrives("It is back.", sender="boss@example.com", to=address_in(mail)))
    assert (follow_up.customer_id, follow_up.follow_up_of_id) == (ticket.customer_id, ticket.pk)


def test_a_mail_is_put_aside_and_taken_back(ticket, agent):
    arrives("Buy this.", sender=STRANGER, to=address_in(answered(ticket, agent)))
    held = HeldMail.objects.get()
    holding.discard(held, actor=agent)
    held.refresh_from_db()
    with pytest.raises(NotTaken):
        holding.accept(held, actor=agent)
    assert holding.keep(held, actor=agent)
    assert HeldMail.objects.get().settled_at is None


def test_an_erasure_takes_what_is_held_along(ticket, agent):
    arrives("I know Dana.", sender=STRANGER, to=address_in(answered(ticket, agent)))
    services.forget_customer(ticket.customer_id)
    assert not HeldMail.objects.exists()
    assert not InboundMail.objects.exists()


def test_a_mail_of_nobody_lets_nobody_in(ticket, agent):
    first = Message.objects.get(ticket=ticket, kind="public")
    answers = {"sender": "", "In_Reply_To": threads.message_id(ticket.pk, first.pk)}
    assert arrives("Let us all in.", **answers).result == "held"
    with pytest.raises(NotTaken, match="names no sender"):
        holding.accept(HeldMail.objects.get(), actor=agent, sender_too=True)
    assert not Participant.objects.exists()
    assert holding.accept(HeldMail.objects.get(), actor=agent).result == "appended"
    assert arrives("And me.", **answers).result == "held"
