"""Mail by a provider's API: django-anymail against a small server that answers as Postmark does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from daytwo_server.core import conf, jobs
from daytwo_server.core.conf.providers import MAIL_PROVIDERS, mail_provider
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
        (
            "amazon_ses://AKIA:wJal/rX%2Butn@eu-west-1",
            {
                "AMAZON_SES_CLIENT_PARAMS": {
                    "aws_access_key_id": "AKIA",
                    "aws_secret_access_key": "wJal/rX+utn",
                    "region_name": "eu-west-1",
                }
            },
        ),
        ("amazon_ses://eu-west-1", {"AMAZON_SES_CLIENT_PARAMS": {"region_name": "eu-west-1"}}),
        (
            "postal://Key@mail.acme.test:8443",
            {"POSTAL_API_KEY": "Key", "POSTAL_API_URL": "https://mail.acme.test:8443"},
        ),
        ("scaleway://Key:Pro-Ject", {"SCALEWAY_SECRET_KEY": "Key", "SCALEWAY_PROJECT_ID": "Pro-Ject"}),
        (
            "scaleway://Key:Pro-Ject@nl-ams",
            {"SCALEWAY_SECRET_KEY": "Key", "SCALEWAY_PROJECT_ID": "Pro-Ject", "SCALEWAY_REGION": "nl-ams"},
        ),
        (
            "unisender_go://Key@go2.unisender.ru/ru/transactional/api/v1",
            {
                "UNISENDER_GO_API_KEY": "Key",
                "UNISENDER_GO_API_URL": "https://go2.unisender.ru/ru/transactional/api/v1",
            },
        ),
        ("smtp://user:word@host:25", {}),
        ("", {}),
    ],
)
def test_the_address_of_a_provider_holds_its_credentials_as_they_are(url, credentials):
    assert mail_provider(conf.load({"DAYTWO_MAIL_URL": url}).mail_url) == credentials


@pytest.mark.parametrize(
    "url",
    ["resend://", "mailjet://Key", "resend://a:b", "pigeon://coop", "imap://host", "smtp://", "amazon_ses://id:secret"],
)
def test_an_address_that_names_nobody_stops_the_start_without_showing_it(url):
    with pytest.raises(conf.ConfError) as wrong:
        conf.load({"DAYTWO_MAIL_URL": url})
    assert "DAYTWO_MAIL_URL is a value that is not shown; allowed is" in str(wrong.value)


def test_every_provider_of_anymail_can_be_named():
    import pkgutil

    from anymail import backends

    others = {"base", "base_requests", "console", "test", "sendinblue"}  # the last is Brevo's former name
    assert set(MAIL_PROVIDERS) == {module.name for module in pkgutil.iter_modules(backends.__path__)} - others


EXAMPLES = [
    "brevo://k", "mailersend://k", "mailgun://k@acme.test", "mailjet://k:s", "mailtrap://k", "mandrill://k",
    "postal://k@acme.test", "postmark://k", "resend://k", "scaleway://k:p", "sendgrid://k", "sparkpost://k",
    "unisender_go://k@go1.unisender.ru/ru/transactional/api/v1",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
@pytest.mark.parametrize("url", EXAMPLES)
def test_what_an_address_says_is_all_that_anymail_asks_for(settings, url):
    from django.core.mail import get_connection

    settings.ANYMAIL = mail_provider(url)
    assert get_connection(f"anymail.backends.{url.partition('://')[0]}.EmailBackend").esp_name


@pytest.mark.parametrize(
    ("code", "state"), [("MessageRejected", "failed"), ("SendingPausedException", "queued"), ("", "queued")]
)
def test_amazon_fails_a_mail_only_by_what_it_says_of_that_mail(provider, monkeypatch, code, state):
    from anymail.exceptions import AnymailAPIError
    from django.core.mail import EmailMessage

    def answers(_mail):  # as anymail tells what boto3 raised
        raise AnymailAPIError("no", response={"Error": {"Code": code}} if code else None)

    monkeypatch.setattr(EmailMessage, "send", answers)
    assert sent().state == state


def test_without_what_a_provider_needs_nothing_starts_and_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    from daytwo_server.core.conf import providers
    from daytwo_server.main import cli

    monkeypatch.setenv("DAYTWO_MAIL_URL", "amazon_ses://eu-west-1")
    monkeypatch.setattr(providers, "find_spec", lambda name: None if name == "boto3" else object())
    for verb in ("serve", "worker"):
        assert cli.main([verb, "--data-dir", str(tmp_path / "data")]) == 2
        assert "pip install 'daytwo-server[ses]'" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "address", ["support", "Support <a@b.test>", "a+b@c.test", "x" * 25 + "@c.test", "a@b", "a b@c.test"]
)
def test_an_inbound_address_is_bare_and_short(address):
    with pytest.raises(conf.ConfError):
        conf.load({"DAYTWO_MAIL_INBOUND": address})
    assert conf.load({"DAYTWO_MAIL_INBOUND": "Support@Acme.test"}).mail_inbound == "support@acme.test"
