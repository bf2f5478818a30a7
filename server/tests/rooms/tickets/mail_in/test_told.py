"""Who is told what by mail."""

import make
import pytest
from rooms.tickets.mailing import (
    address_in,
    answered,
    arrives,
    fresh,
    mails,
    said_in,
    settle,
)

from daytwo_server.accounts.models import Membership
from daytwo_server.core import conf
from daytwo_server.tickets import services
from daytwo_server.tickets.services import Change, File

pytestmark = pytest.mark.django_db


def test_a_reply_is_told_to_the_assignee_else_to_support(ticket, agent):
    mail = answered(ticket, agent)
    arrives("March.", to=address_in(mail))
    settle()
    assert "March." in mails(to="team@acme.test")[-1].text
    services.change(ticket, Change(assignee=agent.email), actor=agent)
    before = len(mails(to="team@acme.test"))
    arrives("And April.", to=address_in(mail))
    settle()
    assert len(mails(to="team@acme.test")) == before
    [notice] = mails(to=agent.email)  # and not one for taking it themselves
    assert "And April." in notice.text
    assert notice.automatic


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("@bob@example.com look", ["Bob"]), ("@Bob, look", ["Bob"]), ("@bob", ["Bob"]), ("ask @Paula Poe.", ["Paula Poe"]),
        ("@Paula", []), ("mail bob@example.com", []), ("@bobby", []), ("@Nobody", []), ("@bob and @Paula Poe", ["Bob", "Paula Poe"]),
    ],
)  # fmt: skip
def test_a_note_tells_whom_it_names_without_doubt(ticket, alice, bob, text, told):
    for name in ("Paula Poe", "Paula Quinn"):
        make.member(name, role=Membership.Role.AGENT)
    note = services.note(ticket, text, actor=alice)
    settle()
    assert [str(one.user) for one in note.mentions.order_by("pk")] == told
    assert len([mail for mail in mails() if mail.about == f"ticket_notice:{note.pk}"]) == len(told)


def test_what_does_not_arrive_is_told_and_gives_the_turn_back(ticket, agent):
    services.assign(ticket, agent.email, actor=agent)
    mail = answered(ticket, agent)
    mail.state = "sent"
    mail.save()
    report = (
        "--x\r\nContent-Type: text/plain\r\n\r\nfailed\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; dana@example.com\r\nAction: failed\r\n"
        f"Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: {mail.message_id}\r\n\r\nhi\r\n--x--"
    )
    kind = 'multipart/report; report-type=delivery-status; boundary="x"'
    outcome = arrives(report, sender="MAILER-DAEMON@mx.test", Return_Path="<>", Content_Type=kind)
    settle()
    assert outcome.result == "bounced"
    assert fresh(ticket).status == "pending"
    assert "The answer to dana@example.com came back: smtp; 550 no such user" in said_in(ticket, "system")
    assert "550 no such user" in mails(to=agent.email)[-1].text
    assert len(mails(to="dana@example.com")) == 1


def test_no_mail_server_no_notices(ticket, agent):
    conf.use(conf.load({"SUPPORT_EMAIL": "team@acme.test"}))
    services.note(ticket, "@paula look", actor=make.bob())
    settle()
    assert mails() == []


def test_a_notice_holds_no_files(ticket, agent):
    services.assign(ticket, agent.email, actor=agent)
    services.customer_reply(
        ticket, services.Said(content="See", files=[File("a.png", "image/png", b"a")]), customer=ticket.customer
    )
    settle()
    [notice] = mails(to=agent.email)
    assert "(1 file)" in notice.text
    assert not notice.files.exists()
