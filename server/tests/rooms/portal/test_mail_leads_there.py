"""Real mail, through a real server: what a customer gets leads to their page, and to no other."""

import re

import make
import pytest
from django.test import Client
from mail_sink import Sink, start, use_server

from daytwo_server.core import conf
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"], transaction=True)

LINK = re.compile(r"http://testserver(/help/\S+)")


@pytest.fixture
def sink(settings, monkeypatch):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before, taking = conf.current(), Sink(port)
    monkeypatch.undo()
    controller = start(taking)
    use_server(settings, port)
    yield taking
    controller.stop()
    conf.use(before)


def mail_with(sink, words):
    """The one mail that says this, and its text."""
    texts = [(taken.mail, taken.mail.get_body(("plain",)).get_content()) for taken in sink.taken]
    [found] = [(mail, text) for mail, text in texts if words in text]
    return found


def test_an_answer_by_mail_carries_a_link_to_its_ticket_and_a_sign_in_comes_by_mail_too(sink, bob):
    ticket = make.ticket(make.dana())
    services.reply(ticket, "Which month?", actor=bob)
    visitor = Client()
    visitor.post("/help/link", {"email": "dana@example.com"})
    run_due_jobs()
    (_, answer), (_, sign_in) = mail_with(sink, "Which month?"), mail_with(sink, "/help/in/")
    page = Client().get(LINK.search(answer)[1])
    assert "Which month?" in page.text
    assert Client().post(f"{LINK.search(answer)[1]}/reply", {"content": "March."}).status_code == 302
    assert Message.objects.filter(ticket=ticket, content="March.").exists()
    link = LINK.search(sign_in)[1]
    assert "Exports are empty" not in visitor.get(link).text
    token = re.search(r'name="token" value="([^"]+)"', visitor.get(link).text)[1]
    assert "Exports are empty" in visitor.post("/help/in", {"token": token}, follow=True).text
    assert Ticket.objects.get().status == "pending"


def test_a_mail_that_asks_how_it_went_is_marked_as_written_by_a_machine(sink, bob):
    from daytwo_server.portal import services as portal

    ticket = make.ticket(make.dana())
    services.set_status(ticket, "resolved", actor=make.member("Nia", role="agent"))
    assert portal.ask(ticket.pk, Ticket.objects.get().resolved_at)
    run_due_jobs()
    mail, text = mail_with(sink, "rating=")
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert mail["Subject"] == f"Re: Exports are empty [#{ticket.pk}]"
    links = LINK.findall(text)
    assert [Client().get(link).status_code for link in links] == [200] * 6
