"""Support by mail, over sockets: a server that takes mail by SMTP, and a mail server that takes what leaves."""

from __future__ import annotations

import email.policy
import json
import os
import re
import smtplib
import subprocess
import threading
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from installation import MODULE, Installation, free_port
from mail_sink import Sink, Taken, start

pytestmark = pytest.mark.slow
INBOUND, TEAM, DANA, MALLORY = "support@acme.test", "team@acme.test", "dana@shop.test", "mallory@evil.test"


@dataclass
class Desk:
    """The installation, and the mail server that it sends by."""

    site: Installation
    sink: Sink
    smtp: int
    seen: int = field(default=0)

    def api(self, method: str, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.site.keys['api_token']}"}
        answer = httpx.request(method, f"{self.site.url}/api/v1{path}", json=body or None, headers=headers, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def tickets(self) -> list[dict[str, Any]]:
        return self.api("GET", "/tickets")["results"]

    def ask(self, subject: str = "Exports are empty", **who: str) -> str:
        """A customer asks through the API; the number of the ticket."""
        body = {"userId": "dana", "email": DANA, "name": "Dana", "subject": subject, "category": "other"} | who
        body["description"] = "The CSV export of March has no rows at all."
        headers = {"Authorization": f"Bearer {self.site.keys['server_key']}"}
        answer = httpx.post(f"{self.site.url}/api/support/tickets", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.json()["number"]

    def reply(self, ticket: str, content: str) -> Taken:
        """An agent answers; the mail with it."""
        self.api("POST", f"/tickets/{ticket}/reply", content=content)
        return until(lambda: next((one for one in self.sink.taken if content in text_of(one.mail)), None))

    def send(self, mail: EmailMessage | bytes, *, sender: str = DANA, to: str = INBOUND) -> dict[str, Any]:
        """Give a mail to the listener, and wait for what became of it."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes(policy=email.policy.SMTP)
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=30) as client:
            client.sendmail(sender, [to], raw)
        return self.outcome()

    def outcome(self) -> dict[str, Any]:
        wanted = "SELECT count(*) FROM mail_inboundmail WHERE state = 'received'"
        until(lambda: self.site.query(wanted) == [(0,)])
        [row] = self.site.query("SELECT result, thread, message FROM mail_inboundmail ORDER BY id DESC LIMIT 1")
        return {"result": row[0], "ticket": f"T-{row[1].rpartition(':')[2]}", "message": row[2]}

    def said(self, ticket: str) -> list[str]:
        """In public."""
        return [one["content"] for one in self.api("GET", f"/tickets/{ticket}")["messages"] if not one["isInternal"]]

    def quiet(self) -> None:
        """Wait until nothing is left to be done or sent."""
        due = "SELECT count(*) FROM core_job WHERE state IN ('ready', 'leased') AND kind IN ('core.react', 'mail.read', 'mail.send')"
        waiting = "SELECT count(*) FROM mail_delivery WHERE state IN ('queued', 'sending')"
        until(lambda: self.site.query(due) == [(0,)] and self.site.query(waiting) == [(0,)])

    def left_since(self) -> list[str]:
        """To whom mail went since it was last asked."""
        self.quiet()
        new = self.sink.taken[self.seen :]
        self.seen = len(self.sink.taken)
        return [one.recipient for one in new]


def until(condition: Any, seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
    return found


def letter(
    text: str, subject: str = "Help", *, sender: str = f"Dana <{DANA}>", to: str = INBOUND, **headers: str
) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Message-ID"] = f"<{os.urandom(6).hex()}@shop.test>"
    for name, value in headers.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""


@pytest.fixture(scope="module")
def sink():
    found = Sink(free_port())
    controller = start(found)
    yield found
    controller.stop()


def installation(folder, sink: Sink, furnished: Installation, env: dict[str, str]) -> Installation:
    import sites

    mail = {
        "DAYTWO_MAIL_URL": f"smtp://127.0.0.1:{sink.port}", "DAYTWO_MAIL_FROM": "Acme <help@acme.test>",
        "DAYTWO_MAIL_INBOUND": INBOUND, "SUPPORT_EMAIL": TEAM,
    }  # fmt: skip
    return sites.copy(furnished, folder, env=mail | env)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, furnished, store_env, sink):
    site = installation(tmp_path_factory.mktemp("support") / "data", sink, furnished, store_env("support"))
    found = Desk(site, sink, free_port())
    site.start("--smtp-port", str(found.smtp))
    yield found
    site.stop()


@pytest.fixture
def ticket(desk):
    """Dana's, answered once; `desk.left_since()` begins after that."""
    number = desk.ask()
    desk.reply(number, f"Which month? {number}")
    desk.left_since()
    return number


# ---- The eight probes of mail that is hostile or a machine's ----


def last_answer(desk, ticket):
    return next(one.mail for one in reversed(desk.sink.taken) if f"Which month? {ticket}" in text_of(one.mail))


def test_a_stranger_is_neither_heard_by_the_customer_nor_answered_in_their_ticket(desk, ticket):
    by_number = desk.send(letter("Send it to me.", f"Re: x [#{ticket[2:]}]", sender=MALLORY), sender=MALLORY)
    by_key = desk.send(letter("To me!", sender=MALLORY), sender=MALLORY, to=last_answer(desk, ticket)["Reply-To"])

    assert (by_number["result"], by_number["ticket"], by_number["message"]) == ("held", ticket, "")
    assert (by_key["result"], by_key["ticket"], by_key["message"]) == ("held", ticket, "")
    assert len(desk.said(ticket)) == 2
    assert DANA not in desk.left_since()


def test_a_stranger_who_copies_themselves_gets_nothing_later(desk, ticket):
    answer = last_answer(desk, ticket)
    mail = letter("Me too.", sender=MALLORY, Cc=f"{MALLORY}, spy@evil.test", References=str(answer["Message-ID"]))
    assert desk.send(mail, sender=MALLORY)["result"] == "held"
    desk.reply(ticket, f"For Dana alone. {ticket}")
    assert [to for to in desk.left_since() if to != "team@acme.test"] == [DANA]  # which is told that mail is held


def test_a_mail_that_is_delivered_twice_is_one(desk):
    mail = letter("It broke.", Message_ID=f"<twice{os.urandom(3).hex()}@shop.test>")
    first, second = desk.send(mail), desk.send(mail)
    assert (first["result"], second["result"]) == ("created", "duplicate")
    assert desk.said(first["ticket"]) == ["It broke."]


def test_references_alone_lead_to_the_ticket(desk, ticket):
    mail = letter("March.", References=f"<lost@shop.test> {last_answer(desk, ticket)['Message-ID']}")
    assert desk.send(mail) == {"result": "appended", "ticket": ticket, "message": desk.outcome()["message"]}
    assert desk.said(ticket)[-1] == "March."


def test_a_bounce_is_answered_by_nobody(desk, ticket):
    answer = last_answer(desk, ticket)
    bounce = (
        'From: MAILER-DAEMON@mx.shop.test\r\nReturn-Path: <>\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n'
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.shop.test\r\n\r\nFinal-Recipient: rfc822; {DANA}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: {answer['Message-ID']}\r\n\r\nx\r\n--b--\r\n"
    )  # fmt: skip
    assert desk.send(bounce.encode(), sender="<>")["result"] == "bounced"
    assert desk.left_since() == [TEAM]  # whoever looks after it is told
    told = desk.api("GET", f"/tickets/{ticket}")
    assert told["status"] == "pending"
    assert [one["delivery"]["state"] for one in told["messages"] if one["delivery"]] == ["bounced"]
    assert any("550 5.1.1 No such user" in one["content"] for one in told["messages"] if one["authorType"] == "system")


def test_an_answering_machine_is_not_answered(desk, ticket):
    machine = {"Precedence": "auto_reply", "X-Autoreply": "yes"}
    before = len(desk.tickets())
    assert desk.send(letter("I am away.", **machine))["result"] == "automatic"
    to = last_answer(desk, ticket)["Reply-To"]
    assert desk.send(letter("I am away!", **machine), to=to)["result"] == "appended"
    assert len(desk.tickets()) == before
    assert desk.api("GET", f"/tickets/{ticket}")["status"] == "waiting_customer"
    assert desk.left_since() == []


@pytest.mark.parametrize("words", ["All", "DR, OOF, AutoReply"])
def test_a_person_behind_exchange_is_a_person(desk, words):
    sender = f"{os.urandom(3).hex()}@exchange.test"
    mail = letter("Our seats are gone.", sender=sender, X_Auto_Response_Suppress=words)
    assert desk.send(mail, sender=sender)["result"] == "created"
    assert sorted(desk.left_since()) == sorted([sender, TEAM])


# ---- Conversations ----


def test_a_conversation_by_mail_from_both_sides(desk):
    sender = "Nora <nora@new.test>"
    opened = desk.send(letter("The import fails.", "Import", sender=sender), sender="nora@new.test")
    desk.quiet()
    number = opened["ticket"]
    acknowledged = next(one.mail for one in reversed(desk.sink.taken) if one.recipient == "nora@new.test")
    assert acknowledged["Subject"] == f"Re: Import [#{number[2:]}]"
    assert acknowledged["Auto-Submitted"] == "auto-generated"
    assert acknowledged["X-Auto-Response-Suppress"] == "All"

    desk.api("PATCH", f"/tickets/{number}", assignedTo="alice@example.com")
    assert desk.send(
        letter("Since Monday.", sender=sender), sender="nora@new.test", to=acknowledged["Reply-To"]
    ) == {"result": "appended", "ticket": number, "message": desk.outcome()["message"]}  # fmt: skip
    desk.quiet()
    notice = next(
        one.mail
        for one in desk.sink.taken
        if one.recipient == "alice@example.com" and "Since Monday." in text_of(one.mail)
    )
    assert notice["Auto-Submitted"] == "auto-generated"
    quoted = "\n".join(f"> {line}" for line in text_of(notice).splitlines())
    answer = letter(
        f"Which file?\n\nOn Mon, 23 Nov 2026 Acme <help@acme.test> wrote:\n{quoted}", sender="Alice <alice@example.com>",
        to=notice["Reply-To"], In_Reply_To=str(notice["Message-ID"]),
    )  # fmt: skip
    assert desk.send(answer, sender="alice@example.com", to=notice["Reply-To"])["result"] == "appended"
    desk.quiet()
    received = desk.sink.taken[-1]
    assert (received.recipient, text_of(received.mail).startswith("Which file?")) == ("nora@new.test", True)
    assert "Auto-Submitted" not in received.mail
    token = re.search(r"\+([a-z2-7]+)@", notice["Reply-To"])[1]
    assert token not in received.mail.as_string()
    assert desk.said(number) == ["The import fails.", "Since Monday.", "Which file?"]


GMAIL_LINE = "On Mon, 23 Nov 2026 at 17:00, Acme <help@acme.test> wrote:"
GMAIL = f"""<div dir="ltr">March it is.</div><div class="gmail_quote"><div class="gmail_attr">{GMAIL_LINE}</div>
<blockquote>Which month?</blockquote></div>"""
OUTLOOK_TEXT = """March it is.

________________________________
From: Acme <help@acme.test>
Sent: Monday
To: Dana
Subject: Re: Exports

Which month?
"""
OUTLOOK = '<p>March it is.</p><div id="divRplyFwdMsg"><b>From:</b> Acme<br>Which month?</div>'
THUNDERBIRD = """<p>March it is.</p><div class="moz-cite-prefix">Am 23.11.26 schrieb Acme:</div>
<blockquote type="cite">Which month?</blockquote>"""
CLIENTS = {
    "gmail": (f"March it is.\n\n{GMAIL_LINE}\n\n> Which month?\n", GMAIL),
    "outlook": (OUTLOOK_TEXT, OUTLOOK),
    "apple": ("March it is.\n\n> On 23 Nov 2026, at 17:00, Acme <help@acme.test> wrote:\n> \n> Which month?\n", ""),
    "thunderbird": (
        "March it is.\n\nAm 23.11.26 um 17:00 schrieb Acme <help@acme.test>:\n> Which month?\n",
        THUNDERBIRD,
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_mail_programs_quote_is_folded_and_kept(desk, ticket, client):
    plain, html = CLIENTS[client]
    mail = letter(plain, to=last_answer(desk, ticket)["Reply-To"])
    if html:
        mail.add_alternative(html, subtype="html")
    assert desk.send(mail, to=mail["To"])["ticket"] == ticket
    message = [one for one in desk.api("GET", f"/tickets/{ticket}")["messages"] if one["authorType"] == "customer"][-1]
    assert (message["content"], message["strippedText"]) == ("March it is.", "March it is.")
    assert "Which month?" in message["bodyText"]
    assert ("March it is." in message["bodyHtml"]) is bool(html)


def test_a_header_cannot_be_written_by_a_subject(desk):
    raw = letter("Hi").as_bytes().replace(b"Subject: Help", b"Subject: =?utf-8?q?x=0D=0ABcc=3A_spy=40evil=2Etest?=")
    number = desk.send(raw)["ticket"]
    sent = desk.reply(number, f"Hello {number}")
    assert (sent.recipient, "Bcc" in sent.mail) == (DANA, False)
    assert "spy@evil.test" not in desk.left_since()
    assert desk.api("GET", f"/tickets/{number}")["subject"] == "x Bcc: spy@evil.test"


def test_a_mail_of_25_mb_and_one_of_200_parts_are_stored_and_shown(desk):
    large = letter("See these.")
    for number in range(3):
        large.add_attachment(os.urandom(6_000_000), maintype="image", subtype="png", filename=f"{number}.png")
    number = desk.send(large)["ticket"]
    files = next(one for one in desk.api("GET", f"/tickets/{number}")["messages"] if one["attachments"])["attachments"]
    assert [one["size"] for one in files] == [6_000_000] * 3
    many = letter("See all of these.")
    for part in range(220):
        many.add_attachment(f"{part}", filename=f"{part}.html", subtype="html")
    number = desk.send(many)["ticket"]
    assert len(desk.api("GET", f"/tickets/{number}")["messages"][0]["attachments"]) == 20


# ---- A pipe ----


def test_a_pipe_tells_what_became_of_a_mail(desk, ticket):
    def pipe(mail: EmailMessage, **env: str) -> dict[str, str]:
        command = [*MODULE, "mail-pipe", "--data-dir", str(desk.site.data_dir)]
        done = subprocess.run(command, input=mail.as_bytes(), env=desk.site.env | env, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    created = pipe(letter("By pipe."))
    told = desk.api("GET", f"/tickets/{created['ticket']}")
    assert (created["result"], told["messages"][0]["id"]) == ("created", created["message"])
    to = last_answer(desk, ticket)["Reply-To"]
    appended = pipe(letter("Also by pipe."), ORIGINAL_RECIPIENT=to)
    assert (appended["result"], appended["ticket"], bool(appended["message"])) == ("appended", ticket, True)
    held = pipe(letter("Mine.", sender=MALLORY), ORIGINAL_RECIPIENT=to)
    assert (held["result"], held["ticket"], held["message"]) == ("held", ticket, "")
    assert MALLORY in held["reason"]


# ---- At once, and killed ----


def test_of_two_who_answer_at_once_one_answers(desk, ticket):
    seen = desk.api("GET", f"/tickets/{ticket}")["messages"][-1]["id"]
    answers: list[int] = []

    def answer(words: str) -> None:
        headers = {"Authorization": f"Bearer {desk.site.keys['api_token']}"}
        body = {"content": words, "lastMessageId": seen}
        url = f"{desk.site.url}/api/v1/tickets/{ticket}/reply"
        answers.append(httpx.post(url, json=body, headers=headers, timeout=30).status_code)

    threads = [threading.Thread(target=answer, args=[f"Answer {one} {ticket}"]) for one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409, 409, 409]
    assert desk.left_since() == [DANA]


def test_killed_at_any_moment_each_mail_makes_one_ticket_and_one_acknowledgement(tmp_path, furnished, store_env, sink):
    site = installation(tmp_path / "data", sink, furnished, store_env("supportkilled"))
    desk, acknowledged = Desk(site, sink, free_port()), []
    senders = [f"s{number}@many.test" for number in range(40)]

    def post_all() -> None:
        for sender in senders:
            mail = letter(f"Help {sender}", sender=sender, Message_ID=f"<{sender}>").as_bytes(policy=email.policy.SMTP)
            while sender not in acknowledged:  # as a mail server does: until it is told that the mail is stored
                try:
                    with smtplib.SMTP("127.0.0.1", desk.smtp, timeout=5) as client:
                        client.sendmail(sender, [INBOUND], mail)
                    acknowledged.append(sender)
                except (OSError, smtplib.SMTPException):
                    time.sleep(0.1)

    site.start("--smtp-port", str(desk.smtp))
    poster = threading.Thread(target=post_all)
    poster.start()
    try:
        for before in (8, 20, 32):
            until(lambda before=before: len(acknowledged) >= before, 60)
            site.kill()
            site.start("--smtp-port", str(desk.smtp))
        poster.join(60)
        until(lambda: len(desk.site.query("SELECT id FROM tickets_ticket")) == len(senders), 90)
        # What a killed process had begun is taken over when its claim ends, after minutes; see rooms/mail/test_killed.py.
        rows = until(lambda: settled(site, senders), 90)
    finally:
        site.stop()
    assert len(rows) == len({to for to, _ in rows})
    assert site.query("SELECT count(DISTINCT customer_id) FROM tickets_ticket") == [(len(senders),)]
    got = [one.recipient for one in sink.taken if one.recipient.endswith("@many.test")]
    assert len(got) == len(set(got))
    assert {to for to, state in rows if state == "sent"} <= set(got) <= set(senders)


def settled(site: Installation, senders: list[str]) -> list[tuple[str, str]]:
    """Recipient and state of each acknowledgement, once nearly all were sent and each is there or still to be made."""
    begun = site.query("SELECT 1 FROM core_job WHERE state = 'leased' AND args LIKE '%acknowledge_a_question%'")
    rows = site.query("SELECT \"to\", state FROM mail_delivery WHERE about LIKE 'ticket_acknowledgement:%'")
    sent = [to for to, state in rows if state == "sent"]
    return rows if len(rows) + len(begun) == len(senders) and len(sent) >= len(senders) - 6 else []
