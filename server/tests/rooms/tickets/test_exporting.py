"""The document for a customer who asks what is known of them: mails both ways, and files of any size."""

import base64
import json
import tracemalloc

import make
import pytest
from django.test import Client
from mail_sink import use_server
from rooms.tickets import mailing
from rooms.tickets.mailing import arrives, held, settle

from daytwo_server.core import blobs, conf, longjson
from daytwo_server.customers import exports
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.portal.services import asking
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Status, Ticket
from daytwo_server.tickets.services import File, Said, holding

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture(autouse=True)
def _mail(settings, monkeypatch):
    before = conf.current()
    use_server(settings, 1, SUPPORT_EMAIL="team@acme.test")
    monkeypatch.setattr("daytwo_server.mail.jobs.drain", lambda **_: None)
    yield
    conf.use(before)


@pytest.fixture
def ticket():
    """Of Dana, who asked by mail."""
    return mailing.ticket_of(arrives("The CSV export of March is empty."))


def told(customer, actor):
    client = Client(headers={"Authorization": f"Bearer {make.token(actor)}"})
    return json.loads(client.get(f"/api/v1/customers/{customer.pk}/export").getvalue())


def raws_in(document):
    """Every mail in it, as it arrived."""
    found = [one["mail"] for ticket in document["tickets"] for one in ticket["messages"] if one["mail"]]
    found += [one["mail"] for one in document["messagesElsewhere"] if one["mail"]]
    return [base64.b64decode(one["contentBase64"]).decode() for one in [*found, *document["mail"]]]


def test_their_mail_is_there_as_it_arrived_and_ours_as_it_went(ticket, alice, bob):
    settle()
    services.reply(ticket, "Which month?", actor=bob, status=Status.RESOLVED)
    settle()
    Delivery.objects.filter(about__startswith="ticket_message:").update(state="bounced")
    asking.ask(ticket.pk, Ticket.objects.get(pk=ticket.pk).resolved_at)
    [one] = told(ticket.customer, alice)["tickets"]
    asked, answer = one["messages"]
    assert (asked["mail"]["from"], asked["mail"]["subject"]) == ("dana@example.com", "Exports are empty")
    arrived = base64.b64decode(asked["mail"]["contentBase64"]).decode()
    assert arrived.startswith("From: Dana <dana@example.com>\r\n")
    assert (arrived.endswith("The CSV export of March is empty.\r\n"), len(arrived)) == (True, asked["mail"]["size"])
    assert (asked["mailed"], answer["mail"]) == ([], None)
    [mailed] = answer["mailed"]
    assert (mailed["to"], mailed["state"]) == ("dana@example.com", "bounced")
    assert mailed["subject"] == f"Re: Exports are empty [#{ticket.pk}]"
    assert "Which month?" in mailed["text"]
    received, rating = one["mailed"]
    assert "We have received your message." in received["text"]
    assert "How was it?" in rating["text"]


def test_mail_of_others_and_what_we_were_mailed_is_not_theirs(ticket, alice, bob):
    mallory = held(ticket, "I am Mallory.")
    holding.accept(mallory, actor=bob, sender_too=True)
    services.note(ticket, "A note for @alice.", actor=bob)
    settle()
    assert Delivery.objects.filter(to="team@acme.test").exists()
    document = told(ticket.customer, alice)
    assert [one["content"] for one in document["tickets"][0]["messages"]][1:] == ["I am Mallory.", "A note for @alice."]
    assert len(raws_in(document)) == 1
    assert "team@acme.test" not in json.dumps(document)


def test_what_they_mailed_into_a_ticket_of_somebody_else_is_theirs_and_nothing_else_there(ticket, alice, bob):
    others = make.ticket(make.customer("id:eve", email="eve@example.com", name="Eve"))
    holding.accept(held(others, "Dana here, the same.", "Dana <dana@example.com>"), actor=bob)
    services.reply(others, "Dear Eve.", actor=bob)
    settle()
    document = told(ticket.customer, alice)
    [one] = document["messagesElsewhere"]
    assert (one["ticket"], one["content"], one["mailed"]) == (others.code, "Dana here, the same.", [])
    assert "Dana here, the same." in raws_in(document)[1]
    assert "eve" not in json.dumps(document).lower()


def test_mail_that_is_not_kept_any_more_is_left_out(ticket, alice):
    blobs.discard([InboundMail.objects.get().raw_id])
    [asked] = told(ticket.customer, alice)["tickets"][0]["messages"]
    assert (asked["content"], asked["mail"]) == ("The CSV export of March is empty.", None)


def test_a_document_takes_no_memory_for_what_is_in_it(ticket):
    """Not for all its files, nor for one."""
    for _ in range(3):
        said = Said(content="See this.", files=[File("a.bin", "", bytes(8_000_000))])
        services.customer_reply(ticket, said, customer=ticket.customer)
    document = longjson.chunks(exports.of_customer(ticket.customer))
    tracemalloc.start()
    try:
        size = sum(map(len, document))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 32_000_000
    assert most < 5_000_000


def test_a_long_conversation_costs_few_queries(ticket, django_assert_max_num_queries):
    for number in range(120):
        services.customer_reply(ticket, Said(content=f"And {number}."), customer=ticket.customer)
    document = exports.of_customer(ticket.customer)
    with django_assert_max_num_queries(30):
        content = b"".join(longjson.chunks(document["tickets"]))
    assert [one["content"] for one in json.loads(content)[0]["messages"]][-1] == "And 119."
