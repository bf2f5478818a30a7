"""What mail providers tell by HTTP: only who proves to be one is heard, and a mail comes in as by any other way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import util

import httpx
import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from rooms.mail.test_intake import Room, raw, room  # noqa: F401 - the fixture

from daytwo_server.core import conf, jobs
from daytwo_server.core.models import Fact
from daytwo_server.mail import intake, selectors, services, webhooks
from daytwo_server.mail.models import Delivery, InboundMail

pytest.importorskip("anymail")
pytestmark = [
    pytest.mark.django_db(databases=["default", "telemetry"]),
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

PASSWORD = "daytwo:correct-horse-battery"
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


@pytest.fixture
def site(inbound, settings):
    """Takes webhooks with a password, and those that Mailgun signs. Answers requests without a socket between, which
    takes a tenth of the time; `served` is the same with one.
    """
    settings.ANYMAIL = {
        "WEBHOOK_SECRET": PASSWORD,
        "RESEND_API_KEY": "re_key",
        "MAILGUN_WEBHOOK_SIGNING_KEY": "mailgun-key",
    }
    signals = (request_started, request_finished)
    for signal in signals:  # the test's transaction is on this very connection
        signal.disconnect(close_old_connections)
    with httpx.Client(transport=httpx.WSGITransport(get_wsgi_application()), base_url="http://testserver") as client:
        yield client
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def served(site, live_server):
    with httpx.Client(base_url=live_server.url, timeout=30) as client:
        yield client


over_a_socket = pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])


def post(site: httpx.Client, path: str, *, password: str = PASSWORD, **options) -> httpx.Response:
    auth = httpx.BasicAuth(*password.split(":")) if password else None
    return site.post(f"/mail/{path}/", auth=auth, **options)


def read() -> list[InboundMail]:
    jobs.run_due_jobs(tick=False)
    return list(InboundMail.objects.order_by("pk"))


POSTMARK = {
    "FromFull": {"Email": "dana@shop.test", "Name": "Dana"},
    "From": "Dana <dana@shop.test>",
    "To": "support@acme.test",
    "OriginalRecipient": "support+abc@acme.test",
    "Subject": "Größe",
    "TextBody": "Hello from Postmark\n",
    "HtmlBody": "<p>Hello</p>",
    "MessageID": "p1",
    "Date": "Mon, 4 May 2026 12:00:00 +0000",
    "Headers": [
        {"Name": "Return-Path", "Value": "<bounce@shop.test>"},
        {"Name": "Message-ID", "Value": "<real@shop.test>"},
        {"Name": "References", "Value": "<earlier@shop.test>"},
    ],
    "Attachments": [
        {
            "Name": "a.txt",
            "ContentType": "text/plain",
            "ContentLength": 4,
            "Content": base64.b64encode(b"\xff\x00hi").decode(),
        }
    ],
}


@over_a_socket
def test_a_mail_that_a_provider_took_apart_is_put_together_and_read(served, room: Room):  # noqa: F811
    assert post(served, "postmark/inbound", json=POSTMARK).status_code == 200

    [mail] = read()
    [letter] = room.letters
    assert (mail.result, mail.route, mail.message_id) == ("created", "postmark", "<real@shop.test>")
    assert (mail.envelope_sender, mail.envelope_recipients) == ("bounce@shop.test", "support+abc@acme.test")
    assert (letter.subject, letter.text, letter.references) == (
        "Größe", "Hello from Postmark", ("<earlier@shop.test>",),
    )  # fmt: skip
    assert [(file.name, file.data) for file in letter.attachments] == [("a.txt", b"\xff\x00hi")]
    assert post(served, "postmark/inbound", json=POSTMARK).status_code == 200  # as a provider does that got no answer
    assert [mail.result for mail in read()] == ["created", "duplicate"]


@pytest.mark.parametrize("password", ["", "daytwo:wrong", "other:correct-horse-battery"])
def test_who_does_not_prove_to_be_the_provider_is_not_heard(site, room: Room, password):  # noqa: F811
    answer = post(site, "postmark/inbound", password=password, json=POSTMARK)
    assert (answer.status_code, "www-authenticate" in answer.headers) == ((403, False) if password else (401, True))
    assert not InboundMail.objects.exists()


def test_a_webhook_that_nothing_guards_is_closed_and_says_what_opens_it(site, settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": ""}
    for (provider, kind), door in webhooks.DOORS.items():
        answer = post(site, f"{provider}/{kind}", json={})
        assert (provider, kind, answer.status_code) == (provider, kind, 403)
        assert "DAYTWO_MAIL_WEBHOOK_SECRET" in answer.text
        assert all(name in answer.text for name in door.keys[:1])


def test_what_is_no_webhook_or_needs_more_is_not_found(site, monkeypatch):
    assert post(site, "pigeon/inbound", json={}).status_code == 404
    assert post(site, "unisender_go/inbound", json={}).status_code == 404
    assert site.get("/mail/postmark/inbound/").status_code == 405
    genuine = util.find_spec
    monkeypatch.setattr(webhooks, "find_spec", lambda name: None if name == "anymail" else genuine(name))
    missing = post(site, "postmark/inbound", json=POSTMARK)
    assert (missing.status_code, "daytwo-server[mail]" in missing.text) == (404, True)
    monkeypatch.undo()
    conf.use(conf.load({}))
    assert post(site, "postmark/inbound", json=POSTMARK).status_code == 404  # no address that mail comes to


def test_every_view_of_anymail_has_its_door(site):
    """What a new version of it knows is not forgotten here."""
    from anymail import urls

    theirs = {pattern.callback.view_class.__name__ for pattern in urls.urlpatterns}
    ours = {door.view for door in webhooks.DOORS.values()}
    assert {name for name in theirs if not name.startswith("SendinBlue")} == ours
    for provider, kind in webhooks.DOORS:
        if provider in {"amazon_ses", "postal", "sendgrid"}:
            continue  # these need packages of their own
        answer = site.head(f"/mail/{provider}/{kind}/")
        # As most providers ask first. 503: it wants keys that this test does not give.
        assert (provider, kind, answer.status_code) in {(provider, kind, 200), (provider, kind, 503)}


# ---- Resend: signs by Svix, tells an id, and is asked for the mail ----


class Resend(ThreadingHTTPServer):
    """Its API, as far as mail that came in goes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.mails: dict[str, bytes] = {}
        self.status = 200


class _Handler(BaseHTTPRequestHandler):
    server: Resend

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        self.server.asked.append((self.path, self.headers["Authorization"]))
        folder, _, name = self.path.rpartition("/")
        if folder == "/emails/receiving":
            address = f"http://127.0.0.1:{self.server.server_port}/raw/{name}"
            self._answer(json.dumps({"id": name, "raw": {"download_url": address}}).encode())
        else:
            self._answer(self.server.mails[name])

    def _answer(self, body: bytes) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args) -> None:
        pass


@pytest.fixture
def resend(site, settings):
    with Resend() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.ANYMAIL = {
            "RESEND_API_KEY": "re_key", "RESEND_INBOUND_SECRET": SECRET, "RESEND_SIGNING_SECRET": SECRET,
            "RESEND_API_URL": f"http://127.0.0.1:{server.server_port}/",
        }  # fmt: skip
        yield server
        server.shutdown()


def signed(event: dict, *, key: bytes = b"k" * 24, at: float | None = None, tampered: bool = False) -> dict:
    body = json.dumps(event).encode()
    stamp = str(int(at or time.time()))
    mac = hmac.digest(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(b'x' * 32).decode()} v1,{base64.b64encode(mac).decode()}"
    headers = {"svix-id": "msg_1", "svix-timestamp": stamp, "svix-signature": signature}
    return {"content": body + (b" " if tampered else b""), "headers": headers, "password": ""}


RECEIVED = {"type": "email.received", "created_at": "2026-05-04T12:00:00Z", "data": {"email_id": "e1"}}


@over_a_socket
def test_resend_is_asked_for_the_mail_it_tells_of(served, resend, room: Room):  # noqa: F811
    resend.mails["e1"] = mail = raw("Hello from Resend", message_id="<r1@shop.test>")
    assert post(served, "resend/inbound", **signed(RECEIVED)).status_code == 200

    assert resend.asked == [("/emails/receiving/e1", "Bearer re_key"), ("/raw/e1", None)]
    [kept] = read()
    assert (kept.result, kept.route) == ("created", "resend")
    assert intake.raw_of(kept) == mail
    assert room.letters[0].text == "Hello from Resend"


@pytest.mark.parametrize(
    "wrong", [{"key": b"x" * 24}, {"at": 1_700_000_000}, {"tampered": True}], ids=["key", "time", "body"]
)
def test_what_resend_did_not_sign_just_so_is_refused(site, resend, wrong):
    assert post(site, "resend/inbound", **signed(RECEIVED, **wrong)).status_code == 403
    unsigned = signed(RECEIVED) | {"headers": {}}
    assert post(site, "resend/inbound", **unsigned).status_code == 403
    assert (resend.asked, InboundMail.objects.count()) == ([], 0)


def test_a_mail_that_resend_does_not_hand_over_now_is_told_again_later(site, resend):
    resend.status = 500
    assert post(site, "resend/inbound", **signed(RECEIVED)).status_code == 503
    resend.server_close()
    answer = post(site, "resend/inbound", **signed(RECEIVED))
    assert (answer.status_code, "re_key" in answer.text) == (503, False)
    assert not InboundMail.objects.exists()


@pytest.mark.parametrize(
    "mail",
    [
        b"", b"\x00\xff" * 500, b"Subject: =?x-unknown?q?=ff?=\r\n\r\n\xff", b"A: b\r\n" * 30_000 + b"\r\nx",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 90,
        b'Content-Type: text/plain; charset="nope"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n',
        "Subject: \ud800".encode("utf-8", "surrogatepass") + b"\r\n\r\nx",
    ],
    ids=["empty", "nuls", "charset", "headers", "nested", "base64", "surrogate"],
)  # fmt: skip
def test_odd_mail_is_stored_whatever_it_is(site, resend, room: Room, mail):  # noqa: F811
    resend.mails["e1"] = mail
    assert post(site, "resend/inbound", **signed(RECEIVED)).status_code == 200
    [kept] = read()
    assert (kept.state, kept.result) == ("done", "created")


def test_what_cannot_be_a_mail_is_kept_in_quarantine(site, room: Room):  # noqa: F811
    assert post(site, "postmark/inbound", json={**POSTMARK, "Attachments": "none"}).status_code == 200
    assert post(site, "postmark/inbound", content=b"{").status_code == 200
    first, second = read()
    assert {first.state, second.state} == {"quarantined"}
    assert first.reason.startswith("What postmark posted cannot be understood")
    assert intake.raw_of(second) == b"{"
    assert room.letters == []


def test_a_break_in_a_field_begins_no_header(site, room: Room):  # noqa: F811
    hostile = {**POSTMARK, "Subject": "x\r\nX-Daytwo-Instance: forged\r\n\r\nbody"}
    assert post(site, "postmark/inbound", json=hostile).status_code == 200
    [kept] = read()
    assert (kept.state, room.letters) == ("quarantined", [])


# ---- Forms: Mailgun signs its time and token, SendGrid posts the mail as a field ----


def test_mailgun_with_its_signature_and_the_password(site, room: Room):  # noqa: F811
    stamp, token = "1777896000", "t" * 50
    signature = hmac.digest(b"mailgun-key", f"{stamp}{token}".encode(), hashlib.sha256).hex()
    form = {
        "timestamp": stamp, "token": token, "signature": signature, "sender": "dana@shop.test",
        "recipient": "support+abc@acme.test", "body-mime": raw("Hello from Mailgun").decode(),
    }  # fmt: skip
    assert post(site, "mailgun/inbound_mime", data=form).status_code == 200
    assert post(site, "mailgun/inbound_mime", data=form | {"signature": "0" * 64}).status_code == 403
    [kept] = read()
    assert (kept.result, kept.envelope_recipients) == ("created", "support+abc@acme.test")
    assert room.letters[0].text == "Hello from Mailgun"


@over_a_socket
def test_a_form_with_a_large_file_is_taken(served, room: Room):  # noqa: F811
    form = {
        "headers": "From: dana@shop.test\nTo: support@acme.test\nSubject: Shot\nMessage-ID: <sg@x>\n", "text": "See file",
        "from": "dana@shop.test", "to": "support@acme.test", "subject": "Shot", "attachments": "1",
        "envelope": json.dumps({"from": "dana@shop.test", "to": ["support+x@acme.test"]}),
        "attachment-info": json.dumps({"attachment1": {"filename": "shot.png", "type": "image/png"}}),
    }  # fmt: skip
    data = b"\x89PNG" + bytes(range(256)) * 12_000
    answer = post(served, "sendgrid/inbound", data=form, files={"attachment1": ("shot.png", data, "image/png")})
    assert answer.status_code == 200
    read()
    [file] = room.letters[0].attachments
    assert (file.name, hashlib.sha256(file.data).digest()) == ("shot.png", hashlib.sha256(data).digest())


def test_ten_megabytes_in_json_are_taken(site, room: Room):  # noqa: F811
    content = base64.b64encode(b"z" * 9_000_000).decode()
    large = {**POSTMARK, "Attachments": [{**POSTMARK["Attachments"][0], "Content": content}]}
    assert post(site, "postmark/inbound", json=large).status_code == 200
    read()
    assert len(room.letters[0].attachments[0].data) == 9_000_000


# ---- Tracking ----


@pytest.fixture
def sent(configured) -> Delivery:
    conf.use(conf.load({"DAYTWO_MAIL_URL": "resend://re_key", "DAYTWO_MAIL_INBOUND": "support@acme.test"}))
    delivery = services.queue(to="Dana@shop.test", subject="Re: Login", text="Hello", about="ticket_message:3")
    Delivery.objects.update(state="sent", provider_id="r-1")
    Fact.objects.all().delete()
    return delivery


def told(kind: str, **more) -> dict:
    data = {"email_id": "r-1", "to": ["dana@shop.test"]} | more
    return signed({"type": f"email.{kind}", "created_at": "2026-05-04T12:00:00Z", "data": data})


def test_a_bounce_that_a_provider_tells_of_is_noted_once(site, resend, sent):
    for _ in range(2):
        event = told("bounced", bounce={"message": "The mailbox is full."})
        assert post(site, "resend/tracking", **event).status_code == 200
    sent.refresh_from_db()
    assert (sent.state, sent.problem) == ("bounced", "The mailbox is full.")
    assert list(Fact.objects.values_list("name", "data")) == [
        ("MailBounced", f'{{"delivery":{sent.pk},"about":"ticket_message:3"}}')
    ]


def test_that_a_mail_arrived_or_was_called_spam_is_noted(site, resend, sent):
    for kind in ("sent", "delivered", "complained", "opened"):
        assert post(site, "resend/tracking", **told(kind)).status_code == 200
    sent.refresh_from_db()
    assert (sent.state, sent.delivered_at.isoformat()) == ("sent", "2026-05-04T12:00:00+00:00")
    assert sent.complained_at is not None
    assert list(Fact.objects.order_by("pk").values_list("name", flat=True)) == ["MailDelivered", "MailComplained"]


def test_what_is_told_of_other_mails_changes_nothing(site, resend, sent):
    for event in (told("bounced", email_id="r-2"), told("bounced", to=["eve@shop.test"])):
        assert post(site, "resend/tracking", **event).status_code == 200
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_a_provider_that_is_quicker_than_our_note_is_asked_to_tell_again(site, resend, sent):
    Delivery.objects.update(state="sending", provider_id="")
    assert post(site, "resend/tracking", **told("bounced", bounce={"message": "no"})).status_code == 503
    Delivery.objects.update(state="sent", provider_id="r-1")
    assert post(site, "resend/tracking", **told("bounced", bounce={"message": "no"})).status_code == 200
    assert selectors.delivery(sent.pk).state == "bounced"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAYTWO_MAIL_WEBHOOK_SECRET", "daytwo:short"), ("DAYTWO_MAIL_WEBHOOK_SECRET", "no-password-at-all"),
        ("DAYTWO_MAIL_WEBHOOK_KEYS", "whsec_x"), ("DAYTWO_MAIL_WEBHOOK_KEYS", "RESEND_INBOUND_SECRET="),
    ],
)  # fmt: skip
def test_a_secret_that_protects_nothing_stops_the_start_without_showing_it(name, value):
    with pytest.raises(conf.ConfError) as wrong:
        conf.load({name: value})
    assert f"{name} is a value that is not shown" in str(wrong.value)


def test_keys_are_named_as_anymail_names_them():
    given = "RESEND_INBOUND_SECRET=whsec_a+b/c==, RESEND_API_KEY=re_1"
    assert dict(conf.load({"DAYTWO_MAIL_WEBHOOK_KEYS": given}).mail_webhook_keys) == {
        "RESEND_INBOUND_SECRET": "whsec_a+b/c==", "RESEND_API_KEY": "re_1",
    }  # fmt: skip
