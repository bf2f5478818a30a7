"""Mail by a provider's API: django-anymail against a small server that answers as Postmark does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from daytwo_server.core import conf, jobs
from daytwo_server.core.conf.values import mail_provider
from daytwo_server.mail import selectors, services
from daytwo_server.mail.models import Delivery

pytest.importorskip("anymail")
pytestmark = pytest.mark.django_db


class Provider(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict]] = []
        self.status = 200


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.headers["X-Postmark-Server-Token"], asked))
        answer = {
            "To": asked["To"],
            "SubmittedAt": "2026-05-04T12:00:00Z",
            "MessageID": "m1",
            "ErrorCode": 0,
            "Message": "OK",
        }
        words = json.dumps(answer if self.server.status == 200 else {"ErrorCode": 300, "Message": "no"}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    def log_message(self, *_args) -> None:
        pass


@pytest.fixture
def provider(settings, configured):
    with Provider() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = "postmark://secret-token"
        conf.use(conf.load({"DAYTWO_MAIL_URL": url, "DAYTWO_MAIL_FROM": "Acme <help@acme.test>"}))
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = mail_provider(url) | {"POSTMARK_API_URL": f"http://127.0.0.1:{server.server_port}/"}
        yield server
        server.shutdown()


def sent() -> Delivery:
    queued = services.queue(
        to="dana@shop.test", subject="Re: Login", text="Hello", html="<p>Hello</p>", message_id="<t@acme.test>"
    )
    jobs.run_due_jobs(tick=False)
    queued.refresh_from_db()
    return queued


def test_a_mail_reaches_the_provider_with_its_headers(provider):
    assert sent().state == "sent"

    [(token, asked)] = provider.asked
    headers = {each["Name"].lower(): each["Value"] for each in asked["Headers"]}
    assert (token, asked["To"], asked["Subject"]) == ("secret-token", "dana@shop.test", "Re: Login")
    assert headers["message-id"] == "<t@acme.test>"
    assert headers["x-auto-response-suppress"] == "OOF, AutoReply"


@pytest.mark.parametrize(
    ("status", "state", "outage"), [(422, "failed", False), (401, "queued", True), (503, "queued", True)]
)
def test_only_what_the_mail_itself_is_to_blame_for_fails_it(provider, status, state, outage):
    provider.status = status
    queued = sent()
    assert (queued.state, bool(selectors.outage()), queued.handed_over) == (state, outage, state == "failed")
    assert "Hello" not in queued.problem


def test_a_provider_that_is_away_gets_the_mail_later(provider):
    provider.server_close()
    assert sent().state == "queued"
    assert selectors.outage()


@pytest.mark.parametrize(
    ("url", "credentials"),
    [
        ("resend://re_AbC", {"RESEND_API_KEY": "re_AbC"}),
        ("mailjet://Key:S%2Fecret", {"MAILJET_API_KEY": "Key", "MAILJET_SECRET_KEY": "S/ecret"}),
        ("mailgun://Key@mg.acme.test", {"MAILGUN_API_KEY": "Key", "MAILGUN_SENDER_DOMAIN": "mg.acme.test"}),
        ("smtp://user:word@host:25", {}),
        ("", {}),
    ],
)
def test_the_address_of_a_provider_holds_its_credentials_as_they_are(url, credentials):
    assert mail_provider(conf.load({"DAYTWO_MAIL_URL": url}).mail_url) == credentials


@pytest.mark.parametrize(
    "url", ["resend://", "mailjet://Key", "resend://a:b", "pigeon://coop", "imap://host", "smtp://"]
)
def test_an_address_that_names_nobody_stops_the_start_without_showing_it(url):
    with pytest.raises(conf.ConfError) as wrong:
        conf.load({"DAYTWO_MAIL_URL": url})
    assert "DAYTWO_MAIL_URL is a value that is not shown; allowed is" in str(wrong.value)


@pytest.mark.parametrize(
    "address", ["support", "Support <a@b.test>", "a+b@c.test", "x" * 25 + "@c.test", "a@b", "a b@c.test"]
)
def test_an_inbound_address_is_bare_and_short(address):
    with pytest.raises(conf.ConfError):
        conf.load({"DAYTWO_MAIL_INBOUND": address})
    assert conf.load({"DAYTWO_MAIL_INBOUND": "Support@Acme.test"}).mail_inbound == "support@acme.test"
