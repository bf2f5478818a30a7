"""Mail on the page of a ticket."""

import base64
import re

import make
import pytest
from mail_sink import use_server
from rooms.tickets.mailing import arrives, held, raw, said_in, settle, ticket_of

from daytwo_server.accounts.models import Membership
from daytwo_server.core import conf
from daytwo_server.core.models import AuditEntry
from daytwo_server.mail import intake
from daytwo_server.mail.letter import Envelope
from daytwo_server.mail.models import Delivery
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Attachment, HeldMail, Message, Ticket

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
)
DESIGNED = (
    '<p onclick="evil()">Hello <b>there</b></p><script>evil()</script><img src="cid:logo"><img src="https://t.test/p.gif">'
    '<a href="javascript:evil()">x</a><a href="https://ok.test/">ok</a><form action="/x"><input name="q"></form>'
)


@pytest.fixture(autouse=True)
def _mail(settings, monkeypatch):
    before = conf.current()
    use_server(settings, 1)
    monkeypatch.setattr("daytwo_server.mail.jobs.drain", lambda **_: None)
    yield
    conf.use(before)


@pytest.fixture
def nia(db):
    return make.member("Nia", role=Membership.Role.AGENT)


@pytest.fixture
def agent(nia, signed_in):
    return signed_in(nia)


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana())


def designed() -> bytes:
    """A mail with HTML, a picture of its own and one from elsewhere, and files that nobody may run."""
    parts = [
        ("text/html; charset=utf-8", "", DESIGNED),
        ('image/png; name="logo.png"', "Content-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n", base64.b64encode(PIXEL).decode()),
        ('text/html; name="page.html"', "Content-Disposition: attachment\r\n", "<script>evil()</script>"),
        ('image/svg+xml; name="a.svg"', "Content-Disposition: attachment\r\n", "<svg onload='evil()'/>"),
    ]  # fmt: skip
    body = "".join(f"--x\r\nContent-Type: {kind}\r\n{more}\r\n{text}\r\n" for kind, more, text in parts)
    return raw(f"{body}--x--", Content_Type='multipart/related; boundary="x"')


def test_a_mail_is_shown_as_designed_where_nothing_runs_and_nothing_is_loaded(agent):
    outcome = intake.accept(designed(), Envelope())
    ticket, message = ticket_of(outcome), Message.objects.get()
    page = agent.get(f"/tickets/{ticket.pk}").text
    assert "Hello there" in page
    assert "Show the whole mail" in page
    whole = agent.get(f"/tickets/{ticket.pk}/messages/{message.pk}").text
    path = re.search(r'<iframe[^>]* src="([^"]+)" sandbox="([^"]+)"', whole)
    assert "allow-scripts" not in path[2]
    assert "allow-same-origin" not in path[2]

    answer = agent.get(path[1])
    shown = b"".join(answer.streaming_content).decode()
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'; img-src data:; ")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "<b>there</b>" in shown
    assert f'src="data:image/png;base64,{base64.b64encode(PIXEL).decode()}"' in shown
    for gone in ("evil", "<script", "<form", "onclick", "javascript:", ' src="https://t.test'):
        assert gone not in shown, gone


def test_files_of_a_mail_are_only_saved(agent):
    ticket = ticket_of(intake.accept(designed(), Envelope()))
    for file in Attachment.objects.filter(name__in=["page.html", "a.svg"]):
        answer = agent.get(f"/tickets/{ticket.pk}/files/{file.uid}")
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["X-Content-Type-Options"] == "nosniff"
    assert Attachment.objects.count() == 3


def test_a_message_without_html_has_no_such_page(agent, ticket):
    assert agent.get(f"/tickets/{ticket.pk}/messages/{ticket.messages.get().pk}/designed").status_code == 404


def test_a_held_reply_stands_on_the_page_and_is_taken_by_one_click(agent, ticket):
    one = held(ticket, "Let me <b>in</b>.")
    page = agent.get(f"/tickets/{ticket.pk}").text
    assert "Unverified reply from Mallory, mallory@evil.test, held" in page
    assert "Let me &lt;b&gt;in&lt;/b&gt;." in page
    assert len(said_in(ticket)) == 1

    answer = agent.post(f"/tickets/{ticket.pk}/held/{one.pk}/", {"do": "accept"}, follow=True)
    assert said_in(ticket)[-1] == "Let me <b>in</b>."
    assert "Unverified reply" not in answer.text
    assert AuditEntry.objects.filter(action="tickets:ticket:mail-accepted", ref_id=str(ticket.pk)).count() == 1
    again = agent.post(f"/tickets/{ticket.pk}/held/{one.pk}/", {"do": "accept"}, follow=True)
    assert "Somebody has decided about this mail already." in again.text
    assert len(said_in(ticket)) == 2


def test_tickets_with_held_mail_are_found(agent, ticket):
    make.ticket(ticket.customer, "Another one")
    held(ticket)
    page = agent.get("/tickets?query=is:held").text
    assert ("Exports are empty" in page, "Another one" in page) == (True, False)


def test_a_sender_is_let_in_and_out(agent, ticket):
    one = held(ticket)
    page = agent.post(f"/tickets/{ticket.pk}/held/{one.pk}/", {"do": "accept-sender"}, follow=True).text
    assert "Mail of mallory@evil.test is taken here, too" in page
    out = re.search(rf'action="(/tickets/{ticket.pk}/senders/\d+)"', page)[1]
    assert "is taken here, too" not in agent.post(out, follow=True).text
    held(ticket, "Me again.")


def test_a_discarded_mail_comes_back_by_undo(agent, ticket):
    one = held(ticket)
    page = agent.post(f"/tickets/{ticket.pk}/held/{one.pk}/", {"do": "discard"}, follow=True).text
    assert "Unverified reply" not in page
    undo = re.search(r"(/tickets/\d+/held/\d+\?do=keep)", page)[1]
    assert "Unverified reply" in agent.post(undo, follow=True).text


def test_a_held_mail_of_another_ticket_is_not_here(agent, ticket):
    other = make.ticket(make.customer(email="x@y.test", email_verified=True))
    one = held(ticket)
    assert agent.post(f"/tickets/{other.pk}/held/{one.pk}/", {"do": "accept"}).status_code == 404
    assert HeldMail.objects.get().settled_at is None


def test_a_viewer_sees_what_is_held_and_decides_nothing(signed_in, ticket):
    held(ticket)
    page = signed_in(make.member("Vic")).get(f"/tickets/{ticket.pk}").text
    assert "Unverified reply" in page
    assert "Accept this mail" not in page


def test_every_state_of_a_mail_is_shown_and_what_failed_is_sent_again(agent, nia, ticket):
    services.reply(ticket, "Which month?", actor=nia)
    delivery = Delivery.objects.get(about__startswith="ticket_message:")
    seen = {}
    for state in ("queued", "sent", "failed", "bounced"):
        Delivery.objects.filter(pk=delivery.pk).update(
            state=state, problem="550 no" if state in {"failed", "bounced"} else ""
        )
        seen[state] = agent.get(f"/tickets/{ticket.pk}").text
    assert "is on its way" in seen["queued"]
    assert "Mailed to dana@example.com" in seen["sent"]
    assert "Not mailed to dana@example.com: 550 no" in seen["failed"]
    assert "Came back from dana@example.com: 550 no" in seen["bounced"]
    assert ["Send again" in page for page in seen.values()] == [False, False, True, True]
    agent.post(f"/tickets/{ticket.pk}/mails/{delivery.pk}/")
    assert Delivery.objects.get(pk=delivery.pk).state == "queued"


def test_only_mails_of_a_ticket_are_sent_again_there(agent, nia, ticket):
    services.reply(ticket, "Which month?", actor=nia)
    settle()
    other = make.ticket(make.customer())
    for delivery in Delivery.objects.all():
        assert agent.post(f"/tickets/{other.pk}/mails/{delivery.pk}/").status_code == 404


def test_an_absence_note_is_folded_and_a_forged_sender_is_marked(agent, ticket):
    first = ticket.messages.get()
    from daytwo_server.mail import threads

    arrives("I am away.", In_Reply_To=threads.message_id(ticket.pk, first.pk), Auto_Submitted="auto-replied")
    page = agent.get(f"/tickets/{ticket.pk}").text
    assert "Automatic mail" in page
    assert re.search(r"<details><summary[^>]*>I am away.</summary>", page)


def test_a_note_says_whom_it_told(agent, ticket):
    make.bob()
    agent.post(f"/tickets/{ticket.pk}/note/", {"note": "@Bob please look"})
    assert "Told Bob" in agent.get(f"/tickets/{ticket.pk}").text


def test_what_an_agent_is_told_stands_on_the_page(agent, ticket):
    long = arrives("It broke.", **{f"X-Filler-{n}": "x" * 900 for n in range(120)})
    page = agent.get(f"/tickets/{ticket_of(long).pk}").text
    assert "The mail has more than 100 kB of headers; what follows them was not read." in page


def test_a_held_mail_becomes_a_ticket_of_its_own_with_a_click(agent, ticket):
    arrives("Mine too.", sender="m@x.test", Subject=f"[#{ticket.pk}]")
    page = agent.get(f"/tickets/{ticket.pk}").text
    assert "Open a new ticket" in page
    [path] = set(re.findall(rf'action="(/tickets/{ticket.pk}/held/\d+[^"]*)"', page))
    answer = agent.post(path, {"do": "apart"}, follow=True)
    opened = Ticket.objects.exclude(pk=ticket.pk).get()
    assert f"It is in T-{opened.pk}" in answer.text
    assert "Unverified reply" not in answer.text
