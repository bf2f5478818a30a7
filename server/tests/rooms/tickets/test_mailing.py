"""Answers that leave by mail."""

import make
import pytest
from django.db import transaction

from daytwo_server.core import facts
from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.customers import services as customers
from daytwo_server.mail import threads
from daytwo_server.mail.facts import MailBounced
from daytwo_server.mail.models import Delivery, DeliveryFile
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Message, Status, Ticket
from daytwo_server.tickets.services import File, Impossible

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.fixture
def ticket(db):
    return make.ticket(make.dana(), "Exports are empty")


@pytest.fixture(autouse=True)
def _inbound(monkeypatch):
    import dataclasses

    from daytwo_server.core import conf

    told = dataclasses.replace(conf.current(), mail_inbound="support@example.com")
    monkeypatch.setattr(conf, "current", lambda: told)


def test_an_answer_is_mailed_with_what_leads_an_answer_back(ticket, bob):
    first = services.reply(ticket, "Which month?", actor=bob)
    second = services.reply(ticket, "Or all?", actor=bob, files=[File("a.png", "image/png", b"a")])
    one, two = Delivery.objects.order_by("pk")
    assert (one.to, one.subject, one.about, one.from_name) == (
        "dana@example.com", f"Re: Exports are empty [#{ticket.pk}]", f"ticket_message:{first.pk}", "Bob",
    )  # fmt: skip
    assert one.text.startswith("Which month?\n\n-- \nAnswer this mail to reply.\nref:")
    assert threads.read(one.reply_to) == threads.Thread(ticket.pk, ticket.customer_id, agent=False)
    assert threads.read_message_id(two.message_id) == (ticket.pk, second.pk)
    opening = Message.objects.filter(ticket=ticket).earliest("pk")
    assert [threads.read_message_id(one)[1] for one in two.references.split()] == [opening.pk, first.pk]
    assert [file.name for file in DeliveryFile.objects.filter(delivery=two)] == ["a.png"]


def test_notes_and_what_was_refused_are_not_mailed(ticket, bob):
    services.note(ticket, "Old plan.", actor=bob)
    with pytest.raises(Impossible):
        services.reply(ticket, "Bye.", actor=bob, status=Status.CLOSED)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("known", [{"email": ""}, {"email_verified": False}, {"email": "no@address,at,all"}])
def test_whose_address_is_not_known_to_be_theirs_is_not_mailed(bob, known):
    ticket = make.ticket(make.dana(**known))
    services.reply(ticket, "Which month?", actor=bob)
    assert not Delivery.objects.exists()
    assert Ticket.objects.get(pk=ticket.pk).status == "waiting_customer"


def test_a_mail_that_came_back_makes_it_our_turn(ticket, bob):
    said = services.reply(ticket, "Which month?", actor=bob)
    with transaction.atomic():
        facts.record(MailBounced(delivery=Delivery.objects.get().pk, about=f"ticket_message:{said.pk}"))
    run_due_jobs()
    assert Ticket.objects.get(pk=ticket.pk).status == "pending"


def test_an_erasure_takes_the_mail_queue_along(ticket, alice):
    services.reply(ticket, "Dear Dana.", actor=alice, files=[File("a.png", "image/png", b"a")])
    customers.erase(ticket.customer, actor=alice)
    run_due_jobs()
    run_due_jobs()
    assert not Delivery.objects.exists()
