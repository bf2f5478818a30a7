"""The pages of customers, in a browser that runs no script, and the menu of saved replies in one that does."""

from __future__ import annotations

import dataclasses

import looks
import make
import pytest

from daytwo_server.accounts.models import Membership
from daytwo_server.core import conf
from daytwo_server.tickets import capability, services
from daytwo_server.tickets.models import Status, Ticket
from daytwo_server.tickets.services import ReplyWords

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def portal(chromium, live_server, monkeypatch):
    """A customer's phone without scripts; every page it comes to is accessible and fits."""
    told = dataclasses.replace(conf.current(), mail_url="smtp://127.0.0.1:1", url=live_server.url)
    monkeypatch.setattr(conf, "current", lambda: told)
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


@pytest.fixture
def eye(chromium):
    """Looks at what the customer's phone shows: axe is a script, which the pages' own policy would stop."""
    context = chromium.new_context(viewport=PHONE, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()

    def look(other, what):
        context.add_cookies(other.context.cookies())
        page.goto(other.url)
        assert (what, looks.wrong_anywhere(page, widths=(320,)), looks.wrong_on_paper(page)) == (what, [], [])

    yield look
    context.close()


def test_a_customer_asks_follows_answers_and_rates_without_a_script(portal, eye, live_server, monkeypatch):
    monkeypatch.setattr("daytwo_server.portal.spam.LEAST_S", 0)
    nia = make.member("Nia", role=Membership.Role.AGENT)
    portal.goto(f"{live_server.url}/help")
    eye(portal, "the way in")
    portal.get_by_label("E-mail address").fill("dana@example.com")
    portal.get_by_role("button", name="Send me a link").click()
    assert portal.get_by_text("is on its way there").is_visible()
    portal.goto(live_server.url + links_of("dana@example.com", live_server))
    eye(portal, "the button")
    portal.get_by_role("button", name="Sign in").click()
    eye(portal, "nothing asked yet")

    portal.get_by_role("link", name="New request").click()
    portal.get_by_label("What is it about?").fill("Exports are empty")
    portal.get_by_label("What happened").fill("The CSV export of March has no rows at all.")
    portal.set_input_files("input[type=file]", {"name": "march.csv", "mimeType": "text/csv", "buffer": b"a,b"})
    eye(portal, "a new request")
    portal.wait_for_timeout(1100)
    portal.get_by_role("button", name="Send request").click()
    assert portal.get_by_text("Your request has arrived").is_visible()
    ticket = Ticket.objects.get()
    services.reply(ticket, "Which month?", actor=nia)
    portal.reload()
    assert portal.get_by_text("Waiting for you").is_visible()
    eye(portal, "a request")
    portal.get_by_label("Your answer").fill("March.")
    portal.get_by_role("button", name="Send answer").click()
    assert portal.get_by_text("March.", exact=True).is_visible()

    services.set_status(ticket, Status.RESOLVED, actor=nia)
    portal.goto(f"{live_server.url}/help/tickets/{capability.token(Ticket.objects.get())}/rating?rating=4")
    eye(portal, "a rating")
    portal.get_by_role("button", name="Send rating").click()
    assert portal.get_by_text("You rated this 4 of 5").is_visible()
    assert portal.get_by_role("button", name="Sign out").count() == 0
    portal.get_by_role("link", name="Help").click()
    portal.get_by_role("button", name="Sign out").click()
    assert portal.get_by_role("button", name="Send me a link").is_visible()


def links_of(address, live_server):
    from daytwo_server.mail.models import Delivery

    text = Delivery.objects.get(to=address).text
    return text.partition(live_server.url)[2].split()[0]


def test_a_saved_reply_is_put_in_by_keyboard_alone(visit):
    nia = make.member("Nia", role=Membership.Role.AGENT)
    ticket = make.ticket(make.dana())
    for name, shortcut in (("Refund sent", "refund"), ("Which browser", "browser")):
        words = ReplyWords(
            name=name,
            shortcut=shortcut,
            text=f"Hello {{{{customer.first_name}}}}, {shortcut}.",
            status="resolved",
            shared=True,
        )
        services.save_reply(words, actor=nia)
    page = visit(f"/tickets/{ticket.pk}", nia)
    page.keyboard.press(";")
    page.locator("#offered").get_by_text("Refund sent").wait_for()
    page.keyboard.type("refund")
    page.locator("#offered").get_by_text("Which browser").wait_for(state="detached")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Send and resolve").first.wait_for()
    assert page.get_by_label("Reply", exact=True).last.input_value() == "Hello Dana, refund."
    page.keyboard.type(" Bye.")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Hello Dana, refund. Bye.").first.wait_for()
    page.get_by_text("Reopen").first.wait_for()
    assert Ticket.objects.get().status == "resolved"
