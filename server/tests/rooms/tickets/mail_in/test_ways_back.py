"""What leads a mail to a ticket that is there, and who may speak in it."""

import datetime as dt

import make
import pytest
import time_machine
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

from daytwo_server.core import clock
from daytwo_server.mail import threads
from daytwo_server.tickets import services
from daytwo_server.tickets.models import HeldMail, Mailed, Participant, Status, Ticket
from daytwo_server.tickets.services import holding

pytestmark = pytest.mark.django_db


def ways_back(mail, ticket):
    """By each of the ways alone, surest first, how an answer finds back."""
    return {
        "token": {"to": address_in(mail)},
        "to": {"To": address_in(mail)},
        "delivered": {"Delivered_To": address_in(mail)},
        "reply": {"In_Reply_To": mail.message_id},
        "references": {"References": f"<other@x.test> {mail.message_id}"},
        "marker": {"text": f"March.\n\nOn 23 Nov 2026 Paula wrote:\n> Which month?\n> {threads.marker(mail.reply_to)}"},
        "subject": {"Subject": f"AW: Exports are empty [#{ticket.pk}]"},
    }


@pytest.mark.parametrize("way", ["token", "to", "delivered", "reply", "references", "marker", "subject"])
def test_the_customer_answers_by_any_way_back(ticket, agent, way):
    given = ways_back(answered(ticket, agent), ticket)[way]
    outcome = arrives(given.pop("text", "March."), **given)
    assert (outcome.result, outcome.thread) == ("appended", f"ticket:{ticket.pk}")
    assert said_in(ticket)[-1] == "March."
    assert fresh(ticket).status == "pending"
    settle()
    assert len(mails(to="dana@example.com")) == 1  # the answer before: nobody is mailed their own words


@pytest.mark.parametrize("way", ["token", "to", "delivered", "reply", "references", "marker"])
def test_a_stranger_who_finds_the_way_is_held(ticket, agent, way):
    given = ways_back(answered(ticket, agent), ticket)[way]
    before = len(mails())
    outcome = arrives(given.pop("text", "Give me all."), sender=STRANGER, Cc="mallory@evil.test", **given)
    settle()
    assert (outcome.result, outcome.thread, outcome.message) == ("held", f"ticket:{ticket.pk}", "")
    assert said_in(ticket) == ["The CSV export of March has no rows at all.", "Which month?"]
    assert fresh(ticket).status == "waiting_customer"
    assert not Participant.objects.exists()
    assert {mail.to for mail in mails()[before:]} <= {"team@acme.test", "paula@example.com"}, "nobody outside"
    [held] = HeldMail.objects.all()
    assert (held.sender, held.name) == ("mallory@evil.test", "Mallory")


def test_a_number_in_a_strangers_subject_is_held_and_may_become_a_question_of_its_own(ticket, agent):
    outcome = arrives("Give me all.", sender=STRANGER, Subject=f"Re: Exports are empty [#{ticket.pk}]")
    held = HeldMail.objects.get()
    assert (outcome.result, held.ticket_id, outcome.message) == ("held", ticket.pk, "")
    assert "Only its subject names this ticket" in held.reason
    outcome = holding.accept(held, actor=agent, apart=True)
    opened = ticket_of(outcome)
    assert (outcome.result, opened.pk == ticket.pk, said_in(opened)) == ("created", False, ["Give me all."])
    assert said_in(ticket) == ["The CSV export of March has no rows at all."]


def test_who_looks_after_a_ticket_is_told_once_that_mail_is_held(ticket):
    settle()
    before = len(mails())
    for text in ("Give me all.", "Now."):
        arrives(text, sender=STRANGER, Subject=f"[#{ticket.pk}]")
    settle()
    [notice] = mails()[before:]
    assert (notice.to, notice.automatic) == ("team@acme.test", True)
    assert "mallory@evil.test is held" in notice.text
    assert "Give me all" not in notice.text


def test_a_sender_whom_our_mail_server_found_out_is_held(ticket, agent):
    mail = answered(ticket, agent)
    assert arrives("March.", to=address_in(mail), genuine=False).result == "held"
    assert HeldMail.objects.get().reason == "Our mail server found that the sender is not who they say."
    assert arrives("April.", to=address_in(mail), genuine=True).result == "appended"


def test_capitals_make_no_other_person(ticket, agent):
    assert (
        arrives("March.", sender="DANA@Example.COM", to=address_in(answered(ticket, agent)).upper()).result
        == "appended"
    )


def test_a_merged_ticket_leads_to_where_it_went(ticket, agent, dana):
    mail, into = answered(ticket, agent), make.ticket(dana, "The same")
    services.merge(ticket, into, actor=agent)
    assert arrives("March.", to=address_in(mail)).thread == f"ticket:{into.pk}"


def test_an_answer_to_a_closed_ticket_opens_one_that_follows(ticket, agent):
    mail = answered(ticket, agent)
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(ticket, status, actor=agent)
    outcome = arrives("It is back.", to=address_in(mail))
    follow_up = ticket_of(outcome)
    assert (outcome.result, follow_up.follow_up_of_id, follow_up.channel) == ("created", ticket.pk, "email")
    assert arrives("Hello?", to=address_in(mail)).thread == f"ticket:{follow_up.pk}"
    with time_machine.travel(clock.now() + dt.timedelta(days=91)):
        late = ticket_of(arrives("Once more.", to=address_in(mail)))
    assert late.follow_up_of_id is None  # what leads back ends 90 days after closing


def test_mail_opens_a_resolved_ticket_three_times_a_day(ticket, agent):
    mail = answered(ticket, agent)
    for number in range(5):
        services.set_status(ticket, Status.RESOLVED, actor=agent)
        assert arrives(f"Thanks number {number}", to=address_in(mail)).result == "appended"
    assert (fresh(ticket).status, fresh(ticket).reopened_count) == ("resolved", 3)
    assert said_in(ticket)[-1] == "Thanks number 4"
    with time_machine.travel(clock.now() + dt.timedelta(hours=25)):
        arrives("Broken again", to=address_in(mail))
    assert fresh(ticket).status == "pending"


def test_an_absence_note_is_added_and_moves_nothing(ticket, agent):
    mail = answered(ticket, agent)
    services.set_status(ticket, Status.RESOLVED, actor=agent)
    before, settled = fresh(ticket), len(mails())
    outcome = arrives("I am away.", to=address_in(mail), Auto_Submitted="auto-replied")
    settle()
    after = fresh(ticket)
    assert outcome.result == "appended"
    assert Mailed.objects.get(message=message_of(outcome)).automatic
    same = ("status", "reopened_count", "waiting_since", "last_customer_at", "first_response_at", "resolved_at")
    assert [getattr(before, name) for name in same] == [getattr(after, name) for name in same]
    assert [one.subject for one in mails()[settled:] if one.to != "team@acme.test"] == []


def test_an_absence_note_opens_nothing_after_the_end(ticket, agent):
    mail = answered(ticket, agent)
    for status in (Status.RESOLVED, Status.CLOSED):
        services.set_status(ticket, status, actor=agent)
    assert arrives("I am away.", to=address_in(mail), Auto_Submitted="auto-replied").result == "automatic"
    assert Ticket.objects.count() == 1


def test_quotes_are_folded_and_kept(ticket, agent):
    mail = answered(ticket, agent)
    text = "March.\n\nOn Mon, 23 Nov 2026 Paula <help@acme.test> wrote:\n> Which month?\n> And year?"
    message = message_of(arrives(text, to=address_in(mail)))
    assert message.content == "March."
    assert "> Which month?" in message.body_text
