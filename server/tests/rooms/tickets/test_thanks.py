"""A thank-you for a resolved ticket opens it again, and one press of a button puts it back."""

from __future__ import annotations

import html
import re

import make
import pytest

from daytwo_server.tickets import services
from daytwo_server.tickets.files import File
from daytwo_server.tickets.models import Channel, Status, Ticket
from daytwo_server.tickets.selectors import conversation
from daytwo_server.tickets.services import Said
from daytwo_server.tickets.thanks import only_thanks

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

ASKED = "This only says thank you."
NAMES = ["Dana Scully", "Bob"]


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!", "thank you so much 🙏", "Hi Bob,\n\nthanks a lot!\n\nDana", "THX", "Danke schön, viele Grüße\nDana Scully",
        "Merci beaucoup !", "¡Muchas gracias!", "Grazie mille :-)", "Obrigada", "Hartelijk dank", "Спасибо!", "谢谢", "ありがとうございます。",
        "Thank you for your quick help!", "Vielen Dank für die Hilfe", "GRÜSSE, DANKE", "Merci pour votre aide",
        "Thanks\n-- \nDana Scully\nHead of Sales, +49 30 1234",
    ],
)  # fmt: skip
def test_a_thank_you_is_known_in_many_languages(text):
    assert only_thanks(text, NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "", "🙏", "Hi Bob,", "Dana", "Great, best regards", "Thanks, but it is still empty.", "No thanks", "Thanks?",
        "Thanks for nothing", "Thank you, 5", "Danke, geht nicht", "Merci de rappeler", "Gracias, pero no", "Thanks Eve", "Help! Thanks", "Quick answer, thanks", "Hilfe! Danke", "No, thanks",
        "Thanks " * 9, "Thanks https://example.com",
    ],
)  # fmt: skip
def test_whatever_says_more_than_thank_you_is_none(text):
    assert not only_thanks(text, NAMES)


@pytest.fixture
def resolved(bob):
    ticket = make.ticket(make.dana())
    services.reply(ticket, "Fixed.", actor=bob, status=Status.RESOLVED)
    return ticket


def says(ticket, words="Thank you, Bob!", **more):
    services.customer_reply(ticket, Said(content=words, **more), customer=ticket.customer)
    return Ticket.objects.get(pk=ticket.pk)


def test_a_ticket_opened_again_by_a_thank_you_is_kept_resolved_by_one_button_without_a_script(
    resolved, alice, signed_in
):
    client = signed_in(alice)
    now_there = says(resolved)
    assert (now_there.status, now_there.reopened_count) == ("pending", 1)
    page = client.get(f"/tickets/{resolved.pk}?view=all").text
    form = page.partition(ASKED)[2].partition("</form>")[0]
    address = html.unescape(re.search(r'action="([^"]+)"', form)[1])
    assert address == f"/tickets/{resolved.pk}?view=all"
    shown = client.post(address, {"do": re.search(r'name="do" value="([^"]+)"', form)[1]}, follow=True)
    now_there.refresh_from_db()
    assert (now_there.status, now_there.reopened_count, now_there.resolved_at is None) == ("resolved", 0, False)
    assert ASKED not in shown.text


def test_an_open_page_learns_of_it(resolved, alice, signed_in):
    client = signed_in(alice)
    last = resolved.messages.latest("pk").pk
    says(resolved)
    assert ASKED in client.get(f"/tickets/{resolved.pk}/since?after={last}").text


def test_other_tickets_cost_no_query(resolved, bob, django_assert_num_queries):
    waiting = make.ticket(resolved.customer)
    services.customer_reply(waiting, Said(content="Thanks!"), customer=waiting.customer)  # never was resolved
    by_us = make.ticket(resolved.customer)
    services.reply(by_us, "Fixed.", actor=bob, status=Status.RESOLVED)
    services.set_status(by_us, Status.PENDING, actor=bob)
    for one in (resolved, waiting, by_us):
        found = Ticket.objects.get(pk=one.pk)
        with django_assert_num_queries(0):
            assert not conversation.reopened_by_thanks(found)


@pytest.mark.parametrize("more", ["a question", "a file", "something else since", "an answer since", "never resolved"])
def test_where_there_is_more_than_that_nothing_is_offered_and_it_counts(resolved, bob, more):
    ticket = resolved
    if more == "never resolved":
        services.set_status(ticket, Status.WAITING_CUSTOMER, actor=bob)
    if more == "a file":
        says(ticket, files=[File("a.txt", "text/plain", b"x")])
    else:
        says(ticket, "Thanks, and what about April?" if more == "a question" else "Thanks!")
    if more == "something else since":
        says(ticket, "It is empty again.")
    if more == "an answer since":
        services.reply(ticket, "You are welcome.", actor=bob, status=Status.PENDING)
    services.set_status(ticket, Status.RESOLVED, actor=bob)
    assert Ticket.objects.get(pk=ticket.pk).reopened_count == 1


def test_taking_it_back_counts_it_again(resolved, alice, signed_in):
    client = signed_in(alice)
    says(resolved, channel=Channel.EMAIL)
    page = client.post(f"/tickets/{resolved.pk}", {"do": "status=resolved"}, follow=True).text
    undo = html.unescape(re.search(r'action="(/tickets/undo[^"]+)"', page)[1])
    client.post(undo)
    now_there = Ticket.objects.get(pk=resolved.pk)
    assert (now_there.status, now_there.reopened_count) == ("pending", 1)


def test_who_may_not_change_tickets_is_not_asked(resolved, signed_in):
    says(resolved)
    assert ASKED not in signed_in(make.member("Vic", role="viewer")).get(f"/tickets/{resolved.pk}").text
