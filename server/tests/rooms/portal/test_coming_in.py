"""Coming in without a password, and who sees what then."""

import datetime as dt
import logging
import re

import make
import pytest
from django.test import Client
from rooms.portal.visiting import REQUEST, Visitor, field, links_to, old_enough
from rooms.tickets.asking import identity

from daytwo_server.core import clock, preferences
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.customers import services as customers
from daytwo_server.customers.models import Customer
from daytwo_server.customers.services import Sighting, Vouched, see, vouch
from daytwo_server.mail.models import Delivery
from daytwo_server.portal import services
from daytwo_server.portal.models import Session, SignInLink
from daytwo_server.tickets.models import Ticket

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

DANA = "dana@example.com"


def test_a_mailed_link_leads_in_and_an_answer_says_the_same_to_everybody():
    make.ticket(make.dana())
    known = Visitor().post("/help/link", {"email": DANA})
    stranger = Visitor().post("/help/link", {"email": "eve@example.com"})
    assert known.text.replace(DANA, "") == stranger.text.replace("eve@example.com", "")
    assert [mail.automatic for mail in Delivery.objects.all()] == [True, True]
    dana = Visitor()
    page = dana.sign_in(" Dana@Example.com ")
    assert "Exports are empty" in page.text
    assert DANA in page.text
    assert "Exports are empty" not in Visitor(address="eve@example.com").get().text


def test_looking_at_a_link_uses_nothing_up_and_pressing_its_button_does():
    visitor = Visitor()
    visitor.post("/help/link", {"email": DANA})
    [link] = links_to(DANA)
    scanner = Client()
    assert [scanner.get(link).status_code, scanner.head(link).status_code, scanner.get(link).status_code] == [200] * 3
    token = field(visitor.get(link), "token")
    assert "Your requests" in visitor.post("/help/in", {"token": token}).text
    assert "Your requests" in visitor.post("/help/in", {"token": token}).text  # pressed twice
    thief = Visitor()
    assert thief.get(link).status_code == 410
    assert thief.post("/help/in", {"token": token}).status_code == 410
    assert thief.client.cookies.get("daytwo_help") is None


def test_a_link_ends_and_one_that_was_changed_never_was(monkeypatch):
    visitor = Visitor()
    visitor.post("/help/link", {"email": DANA})
    [link] = links_to(DANA)
    assert visitor.get(link[:-1] + ("x" if link[-1] != "x" else "y")).status_code == 410
    SignInLink.objects.update(ends_at=clock.now())
    assert visitor.get(link).status_code == 410


def test_a_mailbox_gets_three_links_in_a_quarter_of_an_hour_and_a_client_asks_for_ten():
    for _ in range(5):
        assert Visitor().post("/help/link", {"email": DANA}).status_code == 200
    assert Delivery.objects.filter(to=DANA).count() == 3
    answers = [Visitor().post("/help/link", {"email": f"{number}@example.com"}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 900
    assert (
        Visitor().post("/help/link", {"email": "x@example.com"}, headers={"X-Daytwo-Client": "203.0.113.9"}).status_code
        == 200
    )


def test_the_addresses_of_one_network_are_one_client():
    def ask(number, client):
        client = Client(headers={"X-Daytwo-Client": client})
        return client.post("/help/link", {"email": f"{number}@example.com"}).status_code

    assert [ask(number, f"2001:db8:1:2::{number}") for number in range(11)] == [200] * 10 + [429]
    assert ask(11, "2001:db8:1:3::1") == 200


@pytest.mark.parametrize(
    "typed",
    [
        "", "dana", "dana@", "a@b@c.de", "a@b.de\nBcc: eve@example.com", "\x00@example.com",
        '"dana"@example.com', "dana@[IPv6:::1]",
    ],
)  # fmt: skip
def test_what_is_no_address_is_said_and_kept(typed):
    answer = Visitor().post("/help/link", {"email": typed})
    assert answer.status_code == 422
    assert "Write your e-mail address" in answer.text
    assert not Delivery.objects.exists()


def test_the_cookie_opens_the_portal_alone_and_goes_with_signing_out():
    dana = Visitor(address=DANA)
    cookie = dana.client.cookies["daytwo_help"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/help", True, "Lax")
    assert dana.get("/tickets").status_code == 302
    kept = cookie.value
    assert Session.objects.get().digest != kept
    dana.post("/help/out")
    again = Client()
    again.cookies["daytwo_help"] = kept
    assert "Send me a link" in again.get("/help").text


def test_a_member_who_is_signed_in_is_nobody_here(signed_in, alice):
    make.ticket(make.dana())
    page = signed_in(alice).get("/help")
    assert "Send me a link" in page.text
    assert "Alice" not in page.text


def test_an_app_signs_its_user_in_and_the_token_stays_in_no_address():
    shop = make.project("Shop")
    token = identity(shop, "dana", email=DANA)
    for answer in (
        Client().get("/help", {"jwt": token}),
        Client(enforce_csrf_checks=True).post("/help", {"jwt": token}),
    ):
        assert (answer.status_code, answer["Location"]) == (302, "/help")
        assert answer.cookies["daytwo_help"]["httponly"]
    visitor = Visitor()
    visitor.post("/help", {"jwt": token})
    visitor.ask()
    ticket = Ticket.objects.get()
    assert (ticket.customer.key, ticket.project_id, ticket.channel) == ("id:dana", shop.pk, "web")


@pytest.mark.parametrize(
    "claims", [{"key": "x" * 40}, {"exp": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, {"exp": None}, {"sub": ""}]
)
def test_a_token_that_the_api_refuses_is_refused_here(claims):
    answer = Client().get("/help", {"jwt": identity(make.project("Shop"), **claims)})
    assert answer.status_code == 422
    assert "daytwo_help" not in answer.cookies
    assert not Customer.objects.exists()


# -- who is who


@pytest.fixture
def mallory(db):
    """A user of the app who claims Dana's address there."""
    return vouch(Vouched(user_id="mallory", email=DANA, email_verified=False))


def test_who_only_says_that_an_address_is_theirs_shares_nothing_with_its_owner(mallory):
    shop = make.project("Shop")
    make.ticket(mallory, "Of Mallory")
    dana = Visitor(address=DANA)
    dana.ask(subject="Of Dana herself")
    assert "Of Mallory" not in dana.get().text
    other = Visitor()
    other.post("/help", {"jwt": identity(shop, "mallory", email=DANA, email_verified=False)})
    assert "Of Mallory" in other.get().text
    assert "Of Dana herself" not in other.get().text
    assert Customer.objects.get(pk=mallory.pk).email_verified is False
    assert Customer.objects.get(key=f"email:{DANA}").email_verified is True


def test_what_a_public_key_told_becomes_nobodys_by_a_link():
    see([Sighting(key="id:7", project=0, at=clock.now(), email=DANA)])
    make.ticket(Customer.objects.get(key="id:7"), "Of number seven")
    assert "Of number seven" not in Visitor(address=DANA).get().text
    assert Customer.objects.get(key="id:7").email_verified is False


def test_who_signs_in_by_mail_writes_as_the_one_user_with_that_address_and_of_two_as_neither():
    make.dana()
    Visitor(address=DANA).ask(subject="Of the one")
    assert Ticket.objects.get(subject="Of the one").customer.key == "id:dana"
    vouch(Vouched(user_id="twin", email=DANA))
    Visitor(address=DANA).ask(subject="Of nobody known")
    assert Ticket.objects.get(subject="Of nobody known").customer.key == f"email:{DANA}"


def test_the_app_changing_an_address_moves_no_session_to_it():
    make.ticket(make.dana(), "Of Dana")
    dana = Visitor(address=DANA)
    vouch(Vouched(user_id="dana", email="eve@example.com"))
    make.ticket(Customer.objects.get(key="id:dana"), "Now at another address")
    assert "Now at another address" not in dana.get().text
    dana.ask(subject="Of whoever reads the old mailbox")
    assert Ticket.objects.get(subject="Of whoever reads the old mailbox").customer.key == f"email:{DANA}"
    assert "Of whoever reads the old mailbox" in dana.get().text
    assert [dana.ask().status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])  # the disk is cleaned, too
def test_an_erased_customer_is_signed_out(alice):
    customer = make.dana()
    make.ticket(customer)
    dana = Visitor(address=DANA)
    customers.erase(customer, actor=alice)
    assert "Send me a link" in dana.get().text
    run_due_jobs()
    assert not Session.objects.exists()


def test_what_has_ended_is_swept():
    dana = Visitor(address=DANA)
    Session.objects.update(ends_at=clock.now())
    assert "Send me a link" in dana.get().text
    SignInLink.objects.update(created_at=clock.now() - dt.timedelta(days=2))
    services.sweep()
    assert not Session.objects.exists()
    assert not SignInLink.objects.exists()


# -- what all pages have


def test_every_page_is_locked_down_and_asks_nothing_of_anybody_else():
    make.ticket(make.dana())
    dana = Visitor(address=DANA)
    uid = Ticket.objects.get().uid
    for path in ("/help", "/help/new", f"/help/tickets/{uid}", "/help/nothing", "/help/in"):
        answer = dana.get(path)
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"].startswith("noindex")
        assert "script-src" not in answer["Content-Security-Policy"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "<script" not in answer.text
        assert "hx-" not in answer.text
        assert not re.search(r'(?:href|src)="(?:https?:)?//', answer.text)


def test_the_switch_takes_the_pages_and_the_links_away(alice):
    ticket = make.ticket(make.dana())
    from daytwo_server.tickets import capability

    link = capability.link(ticket)
    assert link.startswith("http://testserver/help/tickets/")
    preferences.change({"portal": "off"}, versions={}, actor=alice)
    assert capability.link(ticket) == ""
    for path in ("/help", "/help/new", link.removeprefix("http://testserver")):
        assert Client().get(path).status_code == 404


def test_a_form_of_another_site_signs_nobody_in_or_out_and_asks_nothing():
    dana = Visitor(address=DANA)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["daytwo_help"] = dana.client.cookies["daytwo_help"].value
    for path in ("/help/out", "/help/new", "/help/link", "/help/in"):
        assert strict.post(path, REQUEST | {"begun": old_enough()}).status_code == 403
    make.ticket(make.dana())
    uid = Ticket.objects.get().uid
    for path in (f"/help/tickets/{uid}/reply", f"/help/tickets/{uid}/rating"):
        assert strict.post(path, {"content": "Hello", "rating": "1"}).status_code in (302, 403)
    assert Ticket.objects.get().messages.count() == 1


def test_a_form_that_is_too_old_gives_back_what_was_written_and_says_what_to_do():
    dana = Visitor(address=DANA)
    old = Client(enforce_csrf_checks=True)  # the cookie that goes with the form is gone
    old.cookies["daytwo_help"] = dana.client.cookies["daytwo_help"].value
    page = old.post("/help/new", REQUEST)
    assert page.status_code == 403
    assert "no-store" in page["Cache-Control"]
    assert "script-src" not in page["Content-Security-Policy"]
    assert "This was not sent" in page.text
    assert f"\n{REQUEST['description']}</textarea>" in page.text
    assert f"\n{REQUEST['subject']}</textarea>" in page.text
    assert 'href="/help/new"' in page.text
    assert "DAYTWO_URL" not in page.text
    ticket = make.ticket(Customer.objects.get(email=DANA))
    for name, words, again in (("reply", "content", ""), ("rating", "comment", "/rating")):
        where = f"/help/tickets/{ticket.uid}"
        page = old.post(f"{where}/{name}", {words: "Hello <b>"})
        assert page.status_code == 403
        assert "\nHello &lt;b&gt;</textarea>" in page.text
        assert f'href="{where}{again}"' in page.text


def test_words_that_another_site_sent_are_not_shown_as_if_the_visitor_had_written_them():
    page = Client(enforce_csrf_checks=True).post("/help/new", REQUEST, headers={"Origin": "https://evil.example"})
    assert page.status_code == 403
    assert "This was not sent" in page.text
    assert REQUEST["description"] not in page.text


def test_a_refused_form_of_a_portal_that_is_off_is_nothing(alice):
    preferences.change({"portal": "off"}, versions={}, actor=alice)
    page = Client(enforce_csrf_checks=True).post("/help/new", REQUEST)
    assert page.status_code == 404
    assert REQUEST["description"] not in page.text


def test_the_link_of_a_ticket_opens_it_while_the_secret_key_before_is_named(settings):
    from daytwo_server.tickets import capability

    page = f"/help/tickets/{capability.token(make.ticket(make.dana()))}"
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another one", [settings.SECRET_KEY]
    assert "Exports are empty" in Client().get(page).text
    settings.SECRET_KEY_FALLBACKS = []
    assert Client().get(page).status_code == 404


@pytest.mark.parametrize(
    ("inbound", "team", "shown"),
    [
        ("support@acme.test", "", "support@acme.test"),
        ("support@acme.test", "team@acme.test", "support@acme.test"),
        ("", "team@acme.test", "team@acme.test"),
        ("", "", ""),
    ],
)
def test_customers_are_told_to_write_where_their_mail_becomes_a_ticket(monkeypatch, inbound, team, shown):
    import dataclasses

    from daytwo_server.core import conf

    told = dataclasses.replace(conf.current(), mail_inbound=inbound, support_email=team)
    monkeypatch.setattr(conf, "current", lambda: told)
    page = Client().post("/help/link", {"email": "dana@example.com"}).text
    assert "Look into your mailbox" in page
    assert re.findall(r"mailto:([^\"]+)", page) == ([shown] if shown else [])


def test_no_log_line_holds_a_token(caplog):
    from daytwo_server.main.cli.start import _with_route
    from daytwo_server.tickets import capability

    ticket = make.ticket(make.dana())
    token = capability.token(ticket)
    handler = logging.getLogger("django.request")
    handler.addFilter(_with_route)
    try:
        with caplog.at_level(logging.INFO):
            Client().get(f"/help/tickets/{token}")
            Client().get(f"/help/tickets/{token}/nothing")
            Client().delete(f"/help/tickets/{token}")
            Client().get(f"/help/tickets/{token[:-1]}")
    finally:
        handler.removeFilter(_with_route)
    assert caplog.records
    assert token[:-1] not in caplog.text


def test_where_no_mail_is_sent_the_page_says_so_instead_of_asking(monkeypatch):
    import dataclasses

    from daytwo_server.core import conf

    told = dataclasses.replace(conf.current(), mail_url="")
    monkeypatch.setattr(conf, "current", lambda: told)
    page = Visitor().get()
    assert "Open this page from the app" in page.text
    assert "<form" not in page.text
    Visitor().post("/help/link", {"email": DANA})
    assert not Delivery.objects.exists()
