"""Mail becomes tickets."""

import datetime as dt

import make
import pytest
import time_machine
from rooms.tickets.mailing import (
    arrives,
    mails,
    message_of,
    said_in,
    settle,
    ticket_of,
)

from daytwo_server.core import clock
from daytwo_server.customers.models import Customer
from daytwo_server.tickets.models import Mailed, Ticket

pytestmark = pytest.mark.django_db


def test_a_mail_opens_a_ticket_and_is_acknowledged_once():
    outcome = arrives("The export of March is empty.", sender="Nora <nora@new.test>", Subject="Empty export")
    settle()

    ticket = ticket_of(outcome)
    assert outcome.result == "created"
    assert (ticket.subject, ticket.channel, ticket.category, ticket.status) == (
        "Empty export",
        "email",
        "other",
        "open",
    )
    assert (ticket.customer.key, ticket.customer.name) == ("email:nora@new.test", "Nora")
    assert not ticket.customer.email_verified  # nobody has checked the sender
    assert said_in(ticket) == ["The export of March is empty."]
    [acknowledgement] = mails(to="nora@new.test")
    assert acknowledgement.automatic
    assert acknowledgement.subject == f"Re: Empty export [#{ticket.pk}]"
    assert acknowledgement.in_reply_to == Mailed.objects.get().mail_id
    assert "March" not in acknowledgement.text  # whoever forges a sender has us send nothing of theirs
    [notice] = mails(to="team@acme.test")
    assert "The export of March is empty." in notice.text

    arrives("Another question, a minute later.", sender="Nora <nora@new.test>")
    settle()
    assert len(mails(to="nora@new.test")) == 1
    with time_machine.travel(clock.now() + dt.timedelta(minutes=11)):
        arrives("And one more, later.", sender="Nora <nora@new.test>")
        settle()
    assert len(mails(to="nora@new.test")) == 2


def test_a_mail_may_be_short_and_without_a_subject():
    ticket = ticket_of(arrives("Hi", sender="n@new.test", Subject=""))
    assert (ticket.subject, said_in(ticket)) == ("(no subject)", ["Hi"])


def test_of_a_long_mail_the_beginning_is_shown_and_all_of_it_attached():
    outcome = arrives("word " * 2000)
    message = message_of(outcome)
    assert len(message.content) == 5000
    [file] = message.attachments.all()
    assert (file.name, file.content_type, file.size) == ("whole-message.txt", "text/plain", 9999)


@pytest.mark.parametrize(
    ("genuine", "known", "expected"),
    [
        (True, {}, "id:dana"),
        (None, {}, "id:dana"),  # what is answered goes to Dana, whoever asked
        (False, {}, "email:dana@example.com"),
        (True, {"email_verified": False}, "email:dana@example.com"),  # a user who only says it is theirs
        (None, {"email_verified": False}, "email:dana@example.com"),
    ],
)
def test_a_sender_is_a_known_user_only_where_the_address_is_known_to_be_theirs(genuine, known, expected):
    make.dana(**known)
    ticket = ticket_of(arrives(genuine=genuine))
    assert ticket.customer.key == expected
    assert Customer.objects.get(key="id:dana").email_verified is known.get("email_verified", True)
    if expected.startswith("email:"):
        assert ticket.customer.email_verified is (genuine is True)


def test_of_two_users_with_one_address_neither_is_taken(dana):
    make.customer("id:dana-at-work", email="dana@example.com", email_verified=True)
    assert ticket_of(arrives(genuine=True)).customer.key == "email:dana@example.com"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Autoreply": "yes"}, {"List_Id": "<news.test>"},
        {"sender": "MAILER-DAEMON@mx.test"}, {"Return_Path": "<>"},
    ],
)  # fmt: skip
def test_what_no_person_wrote_opens_nothing_and_is_not_answered(headers):
    assert arrives(**headers).result in {"automatic", "bounced"}
    settle()
    assert not Ticket.objects.exists()
    assert mails() == []


@pytest.mark.parametrize("who", ["Acme <support@acme.test>", "help@acme.test", "team@acme.test"])
def test_our_own_addresses_are_not_acknowledged(who):
    assert arrives(sender=who).result == "created"
    settle()
    assert [mail.to for mail in mails() if mail.to != "team@acme.test"] == []


def test_another_desk_and_a_forged_sender_are_not_acknowledged():
    assert arrives(sender="desk@other.test", X_Daytwo_Instance="0123456789abcdef").result == "created"
    assert arrives(sender="victim@other.test", genuine=False).result == "created"
    settle()
    assert {mail.to for mail in mails()} == {"team@acme.test"}


def test_the_same_text_again_and_again_is_no_person():
    results = [arrives("Out of office.", sender="bot@b.test").result for _ in range(4)]
    assert results == ["created", "created", "automatic", "automatic"]


def test_a_mail_that_is_taken_twice_makes_one_ticket():
    first = arrives(Message_ID="<same@x.test>")
    assert arrives(Message_ID="<same@x.test>").result == "duplicate"
    settle()
    assert (Ticket.objects.count(), first.result) == (1, "created")
    assert len(mails(to="dana@example.com")) == 1
