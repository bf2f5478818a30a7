"""Those of us who answer by mail."""

import make
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
)

from daytwo_server.accounts.models import Membership
from daytwo_server.mail import threads
from daytwo_server.tickets import services
from daytwo_server.tickets.models import HeldMail, Message, Status
from daytwo_server.tickets.services import holding
from daytwo_server.tickets.services.holding import NotTaken

pytestmark = pytest.mark.django_db


def notice_to(agent, ticket):
    services.assign(ticket, agent.email, actor=make.member("Aaron", role=Membership.Role.AGENT))
    settle()
    return mails(to=agent.email)[-1]


def test_an_agent_answers_a_notice_and_the_customer_gets_it(ticket, agent):
    notice = notice_to(agent, ticket)
    quoted = "\n".join(f"> {line}" for line in notice.text.split("\n"))
    outcome = arrives(
        f"Which month?\n\nOn Mon, 23 Nov 2026 Daytwo <help@acme.test> wrote:\n{quoted}",
        sender="Paula <paula@example.com>", to=address_in(notice), In_Reply_To=notice.message_id,
    )  # fmt: skip
    assert outcome.result == "appended"
    message = message_of(outcome)
    assert (message.kind, message.author, message.content) == ("public", agent, "Which month?")
    assert fresh(ticket).status == "waiting_customer"
    assert fresh(ticket).first_response_at is not None
    sent = mails(to="dana@example.com")[-1]
    assert sent.text.startswith("Which month?\n")
    mark = threads.marker(notice.reply_to)
    assert mark in notice.text
    assert mark not in sent.text + message.content + message.body_text


def test_an_answer_between_quoted_lines_takes_no_key_of_ours_along(ticket, agent):
    notice = notice_to(agent, ticket)
    lines = [f"> {line}" for line in notice.text.split("\n")]
    text = "\n".join([*lines[:4], "Which one?", *lines[4:], "Yours"])
    arrives(text, sender="paula@example.com", to=address_in(notice))
    sent = mails(to="dana@example.com")[-1]
    assert "Which one?" in sent.text
    assert threads.marker(notice.reply_to) not in sent.text


def test_a_note_is_answered_by_a_note(ticket, agent, bob):
    services.note(ticket, "@paula@example.com is this our fault?", actor=bob)
    settle()
    [notice] = mails(to="paula@example.com")
    before = len(mails(to="dana@example.com"))
    outcome = arrives("Yes, ours.", sender="paula@example.com", to=address_in(notice))
    assert message_of(outcome).kind == "note"
    assert len(mails(to="dana@example.com")) == before


@pytest.mark.parametrize(
    "sender", ["mallory@evil.test", "dana@example.com", "victor@example.com"], ids=["stranger", "customer", "viewer"]
)
def test_the_key_of_an_agent_makes_nobody_else_an_agent(ticket, agent, sender):
    make.member("Victor", role=Membership.Role.VIEWER)
    outcome = arrives("I say so.", sender=sender, to=address_in(notice_to(agent, ticket)))
    assert outcome.result == ("appended" if sender == "dana@example.com" else "held")
    assert not Message.objects.filter(ticket=ticket, author_type="agent").exists()


def test_what_a_stranger_answers_to_a_mail_for_us_becomes_a_note(ticket, agent):
    arrives("> internal\nI say so.", sender=STRANGER, to=address_in(notice_to(agent, ticket)))
    outcome = holding.accept(HeldMail.objects.get(), actor=agent)
    assert message_of(outcome).kind == "note"
    assert said_in(ticket) == ["The CSV export of March has no rows at all."]


def test_an_agents_address_without_a_key_is_nobodys(ticket, agent):
    mail = answered(ticket, agent)
    assert arrives("Close it.", sender="paula@example.com", to=address_in(mail)).result == "held"
    assert arrives("Close it.", sender="paula@example.com", Subject=f"[#{ticket.pk}]").result == "held"


def test_a_forged_agent_and_one_who_left_are_held(ticket, agent):
    notice = notice_to(agent, ticket)
    assert arrives("Refund them.", sender="paula@example.com", to=address_in(notice), genuine=False).result == "held"
    type(agent).objects.filter(pk=agent.pk).update(is_active=False)
    assert arrives("Refund.", sender="paula@example.com", to=address_in(notice)).result == "held"
    assert said_in(ticket) == ["The CSV export of March has no rows at all."]


def test_an_agents_absence_note_is_no_answer(ticket, agent):
    notice = notice_to(agent, ticket)
    outcome = arrives("Away.", sender="paula@example.com", to=address_in(notice), Auto_Submitted="auto-replied")
    assert (outcome.result, len(said_in(ticket))) == ("automatic", 1)


def test_two_who_answer_at_once_send_one_answer(ticket, agent, bob):
    notice = notice_to(agent, ticket)
    services.reply(ticket, "It is March.", actor=bob)
    outcome = arrives("It is April.", sender="paula@example.com", to=address_in(notice), In_Reply_To=notice.message_id)
    assert (outcome.result, outcome.reason) == ("held", "Bob answered meanwhile.")
    assert said_in(ticket)[-1] == "It is March."
    assert "Your answer was not sent" in mails(to="paula@example.com")[-1].text
    holding.accept(HeldMail.objects.get(), actor=agent)
    assert said_in(ticket)[-1] == "It is April."


def test_an_answer_to_a_closed_ticket_is_told_to_its_writer(ticket, agent):
    notice = notice_to(agent, ticket)
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(ticket, status, actor=agent)
    assert arrives("Late.", sender="paula@example.com", to=address_in(notice)).result == "held"
    assert "closed" in mails(to="paula@example.com")[-1].text
    with pytest.raises(NotTaken, match="closed"):
        holding.accept(HeldMail.objects.get(), actor=agent)
    assert HeldMail.objects.get().settled_at is None
