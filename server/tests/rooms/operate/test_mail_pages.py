"""Mail as those who keep it running see it: what waits, what could not be read, what did not arrive."""

import datetime as dt

import make
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rooms.mail.test_intake import Room, raw, room  # noqa: F401 - the fixture

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock, conf, jobs
from daytwo_server.core.models import AuditEntry
from daytwo_server.mail import intake, services
from daytwo_server.mail.letter import Envelope
from daytwo_server.mail.models import Delivery, InboundMail, Outage
from daytwo_server.main.cli import doctor

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

LOG, SENT = "/settings/mail/log/", "/settings/mail/log/sent/"


@pytest.fixture
def faulty(room: Room):  # noqa: F811
    """Whoever receives mail fails, until a test says otherwise."""
    before = conf.current()
    conf.use(conf.load({"DAYTWO_MAIL_INBOUND": "support@acme.test", "DAYTWO_URL": "http://testserver"}))
    room.fault = ValueError("no room for <b>Dana</b>")
    yield room
    conf.use(before)


@pytest.fixture
def agent(signed_in):
    return signed_in(make.member("Ann", role=Membership.Role.AGENT))


@pytest.fixture
def engineer(signed_in):
    return signed_in(make.member("Eve", role=Membership.Role.ENGINEER))


def comes(text: str = "Hello", name: str = "m1", **headers: str) -> InboundMail:
    around = Envelope("dana@shop.test", ("support@acme.test",), "smtp", "192.0.2.1")
    intake.accept(raw(text, message_id=f"<{name}@x>", sender=f"{name}@shop.test", **headers), around)
    return InboundMail.objects.order_by("-pk")[0]


def sent(**fields) -> Delivery:
    known = {"to": "dana@shop.test", "subject": "Re: Login", "text": "https://sign-in.test/secret", "lane": "x"}
    return Delivery.objects.create(message_id="<a@b>", **known | fields)


def page_of(client, address: str = LOG) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.text


def test_what_could_not_be_read_is_listed_with_its_reason_and_can_be_replayed(agent, faulty):
    mail = comes()
    page = page_of(agent)
    row = page.partition(f'<tr id="mail-{mail.pk}">')[2].partition("</tr>")[0]
    assert "Quarantine" in row
    assert "m1@shop.test" in row
    assert "ValueError: no room for &lt;b&gt;Dana" in row

    faulty.fault = None
    answer = agent.post(LOG, {"do": "replay", "mail": mail.pk}, follow=True)
    assert "1 mail will be read again in a moment" in answer.text
    jobs.run_due_jobs(tick=False)
    mail.refresh_from_db()
    assert (mail.state, mail.result) == ("done", "created")
    assert [entry.action for entry in AuditEntry.objects.filter(action__startswith="operate:mail")] == [
        "operate:mail:replayed"
    ]
    assert f'id="mail-{mail.pk}"' not in page_of(agent)
    assert f'id="mail-{mail.pk}"' in page_of(agent, f"{LOG}?state=all")


def test_all_that_match_are_replayed_at_once(agent, faulty):
    for number in range(60):
        comes(str(number), f"n{number}")
    other = comes("other", "zoe")
    faulty.fault = None
    page = page_of(agent, f"{LOG}?q=n")
    every = page.partition('name="every" value="')[2].partition('"')[0]
    assert "All 60 that match" in page_of(agent, f"{LOG}?q=from:n*")
    answer = agent.post(f"{LOG}?q=from:n*", {"do": "replay", "every": every}, follow=True)
    assert "60 mails will be read again" in answer.text
    jobs.run_due_jobs(tick=False)
    assert InboundMail.objects.filter(result="created").count() == 60
    other.refresh_from_db()
    assert other.state == "quarantined"


def test_discarded_mail_can_be_put_back(agent, faulty):
    mail = comes()
    answer = agent.post(LOG, {"do": "discard", "mail": mail.pk}, follow=True)
    assert "1 mail discarded" in answer.text
    assert f'id="mail-{mail.pk}"' in page_of(agent, f"{LOG}?state=discarded")
    assert not intake.process_waiting(for_s=1)

    agent.post(f"{LOG}restore/?mails={mail.pk}")
    mail.refresh_from_db()
    assert mail.state == "quarantined"
    assert f'id="mail-{mail.pk}"' in page_of(agent)


def test_what_was_held_for_coming_too_often_is_decided_here_and_what_a_ticket_holds_is_not(agent, room: Room):  # noqa: F811
    ours = InboundMail.objects.create(size=1, state="done", result="held", content_hash="", subject="Flood")
    theirs = InboundMail.objects.create(
        size=1, state="done", result="held", content_hash="", subject="Stranger", thread="ticket:7"
    )
    page = page_of(agent)
    assert f'id="mail-{ours.pk}"' in page
    assert f'id="mail-{theirs.pk}"' not in page
    assert f'id="mail-{theirs.pk}"' in page_of(agent, f"{LOG}?state=all&result=held")
    assert "Nothing was changed" in agent.post(LOG, {"do": "discard", "mail": theirs.pk}, follow=True).text
    agent.post(LOG, {"do": "discard", "mail": ours.pk})
    agent.post(f"{LOG}restore/?mails={ours.pk}")
    ours.refresh_from_db()
    assert (ours.state, ours.result) == ("done", "held")


def test_one_mail_shows_what_it_is_made_of_and_can_be_taken_away_as_it_came(agent, faulty):
    data = raw("Hello", X_Script="<script>alert(1)</script>")
    mail = InboundMail.objects.get(pk=intake.store([(data, Envelope("a@b.test", ("support@acme.test",), "imap"))])[0])
    intake.process(mail.pk)
    page = page_of(agent, f"{LOG}{mail.pk}/")
    assert "X-Script" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "text/plain" in page

    answer = agent.get(f"{LOG}{mail.pk}/mail.eml")
    assert answer.content == data
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["Content-Disposition"] == f'attachment; filename="mail-{mail.pk}.eml"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; frame-ancestors 'none'"
    mail.raw.delete()
    assert agent.get(f"{LOG}{mail.pk}/mail.eml").status_code == 404
    assert "not kept any more" in page_of(agent, f"{LOG}{mail.pk}/")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x00" * 300, b"\xff\xfe: x\r\n\r\n", b"Subject: =?bogus?b?!!!?=\r\n\r\n", b"A: b\r\n" * 5000,
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 60,
        b"Content-Type: message/rfc822\r\n\r\n" * 60, b"Content-Disposition: attachment; filename*=x'y'%FF\r\n\r\nx",
        "Subject: \ud800\r\n\r\n".encode("utf-8", "surrogatepass"), b"Content-Type: text/plain; charset=\xff\r\n\r\n",
    ],
)  # fmt: skip
def test_any_mail_has_a_page(agent, faulty, data):
    [number] = intake.store([(data, Envelope(route="smtp"))])
    intake.process(number)
    assert len(page_of(agent, f"{LOG}{number}/")) < 60_000
    assert f'id="mail-{number}"' in page_of(agent)


def test_while_the_mail_server_is_away_it_says_since_when_and_how_much_waits(engineer, agent):
    with time_machine.travel(clock.now() - dt.timedelta(minutes=20)):
        for number in range(3):
            sent(subject=f"secret {number}")
        Outage.objects.create(until=clock.now(), problem="ConnectionRefusedError: [Errno 111] <refused>")
    for client in (engineer, agent):
        page = page_of(client)
        assert "No mail goes out, for" in page
        assert "&lt;refused&gt;" in page
        assert "the oldest for 20 min" in page
    assert "secret 1" in page_of(agent, SENT)


def test_what_mails_say_is_for_those_who_work_with_tickets(engineer, agent, faulty):
    mail = comes("private words", Subject="My salary")
    sent(subject="Your salary", state="failed")
    for address in (LOG, f"{LOG}?q=salary&state=all", SENT, f"{SENT}?state=all"):
        page = page_of(engineer, address)
        assert "alary" not in page.replace("q=salary", "").replace('value="salary"', "")
        assert "dana@shop.test" not in page
        assert "is for the role Owner, Admin or Support agent" in page
    for address in (f"{LOG}{mail.pk}/", f"{LOG}{mail.pk}/mail.eml"):
        assert engineer.get(address).status_code == 403
    assert engineer.post(LOG, {"do": "discard", "mail": mail.pk}).status_code == 403
    assert "https://sign-in.test/secret" not in page_of(agent, f"{SENT}?state=all"), "it would sign in whoever reads it"


def test_what_did_not_arrive_is_listed_with_the_servers_words_and_can_be_sent_again(agent):
    failed = sent(state="failed", problem="550 5.1.1 no such user", settled_at=clock.now())
    bounced = sent(state="bounced", problem="smtp; 552 full", subject="Bounced one")
    unseen = sent(state="sent", problem="The process ended", subject="Unseen one")
    fine = sent(state="sent", subject="Fine", delivered_at=clock.now())
    page = page_of(agent, f"{SENT}?state=problems")
    for words in ("550 5.1.1 no such user", "smtp; 552 full", "Unconfirmed"):
        assert words in page
    assert f'id="mail-{fine.pk}"' not in page
    assert "Delivered" in page_of(agent, f"{SENT}?state=all&q=is:delivered")

    answer = agent.post(
        f"{SENT}?state=problems", {"do": "resend", "mail": [failed.pk, bounced.pk, unseen.pk, fine.pk]}, follow=True
    )
    assert "3 mails will be sent again" in answer.text
    assert set(Delivery.objects.filter(state="queued")) == {failed, bounced, unseen}
    assert AuditEntry.objects.filter(action="operate:mail:sent_again").count() == 3


def test_a_mail_that_was_not_confirmed_and_then_delivered_has_arrived(agent):
    late = sent(state="sent", problem="The process ended", subject="Late one", delivered_at=clock.now())
    assert late.fate == "delivered"
    assert "Late one" not in page_of(agent, f"{SENT}?state=problems")
    row = page_of(agent, f"{SENT}?state=all").partition(f'id="mail-{late.pk}"')[2]
    assert "Delivered" in row
    assert "Unconfirmed" not in row
    assert not services.resend(late), "it would arrive twice"


def test_pages_ask_the_database_as_often_for_fifty_mails_as_for_one(agent, faulty):
    def queries(address: str) -> int:
        agent.get(address)
        with CaptureQueriesContext(connection) as found:
            agent.get(address)
        return len(found)

    comes()
    sent(about="ticket_message:1")
    few = queries(f"{LOG}?state=all"), queries(f"{SENT}?state=all")
    for number in range(49):
        comes(str(number), f"n{number}")
        sent(about=f"ticket_message:{number}")
    assert (queries(f"{LOG}?state=all"), queries(f"{SENT}?state=all")) == few
    assert max(few) <= 22
    assert len(page_of(agent, f"{LOG}?state=all")) < 60_000


@pytest.mark.parametrize("address", [f"{LOG}?state=none", f"{LOG}?q=is:x", f"{SENT}?q=is:x", f"{SENT}?cursor=x"])
def test_what_does_not_exist_is_said(agent, address):
    assert agent.get(address).status_code == 400


def test_the_doctor_finds_mail_that_waits(faulty):
    assert list(doctor._mail_that_waits()) == []
    comes()
    with time_machine.travel(clock.now() - dt.timedelta(minutes=20)):
        sent()
        intake.store([(raw("unread"), Envelope())])
    told = [sentence for fine, sentence in doctor._mail_that_waits() if not fine]
    assert [sentence.partition(":")[0].partition(";")[0] for sentence in told] == [
        "1 mails wait to be sent, the oldest for 20 minutes",
        "1 mails wait to be read, the oldest for 20 minutes",
        "1 mails could not be read, or came too often, and wait for a decision",
    ]
    Outage.objects.create(until=clock.now(), problem="TimeoutError: timed out")
    [first, *_] = doctor._mail_that_waits()
    assert first[1].startswith("No mail goes out since 20")
    assert "(TimeoutError: timed out). 1 wait" in first[1]
