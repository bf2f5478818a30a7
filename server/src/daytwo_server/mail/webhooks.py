"""What mail providers tell by HTTP, by django-anymail: a mail came in, a mail of ours arrived or came back.

Each of its views checks who is speaking and makes one shape of what all of them say; this module sees to it that none
is open, and gives what they say to `intake` and `sending.afterwards`.
"""

from __future__ import annotations

import base64
import email.policy
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.encoders import encode_base64
from email.message import Message
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from daytwo_server.core import clock, conf
from daytwo_server.core.masking import error_line
from daytwo_server.core.trouble import is_trouble
from daytwo_server.mail import intake, jobs
from daytwo_server.mail.letter import Envelope
from daytwo_server.mail.reading.parts import flat
from daytwo_server.mail.sending import afterwards

log = logging.getLogger(__name__)

PATIENCE_S = 20  # with a provider that has to be asked for the mail itself
SVIX_PATIENCE_S = 300
INBOUND, TRACKING = "inbound", "tracking"
_OF_LINES = frozenset({"text", "multipart", "message"})


@dataclass(frozen=True)
class Door:
    """One of anymail's views. `keys` are the settings, as anymail calls them, of which any makes it check signatures;
    without, a password is all there is.
    """

    view: str
    keys: tuple[str, ...] = ()


DOORS: dict[tuple[str, str], Door] = {
    ("amazon_ses", INBOUND): Door("AmazonSESInboundWebhookView"),
    ("amazon_ses", TRACKING): Door("AmazonSESTrackingWebhookView"),
    ("brevo", INBOUND): Door("BrevoInboundWebhookView"),
    ("brevo", TRACKING): Door("BrevoTrackingWebhookView"),
    ("mailersend", INBOUND): Door("MailerSendInboundWebhookView", ("MAILERSEND_INBOUND_SECRET",)),
    ("mailersend", TRACKING): Door("MailerSendTrackingWebhookView", ("MAILERSEND_SIGNING_SECRET",)),
    ("mailgun", INBOUND): Door("MailgunInboundWebhookView", ("MAILGUN_WEBHOOK_SIGNING_KEY", "MAILGUN_API_KEY")),
    ("mailgun", "inbound_mime"): Door("MailgunInboundWebhookView", ("MAILGUN_WEBHOOK_SIGNING_KEY", "MAILGUN_API_KEY")),
    ("mailgun", TRACKING): Door("MailgunTrackingWebhookView", ("MAILGUN_WEBHOOK_SIGNING_KEY", "MAILGUN_API_KEY")),
    ("mailjet", INBOUND): Door("MailjetInboundWebhookView"),
    ("mailjet", TRACKING): Door("MailjetTrackingWebhookView"),
    ("mailtrap", INBOUND): Door("MailtrapInboundWebhookView", ("MAILTRAP_INBOUND_SECRET",)),
    ("mailtrap", TRACKING): Door("MailtrapTrackingWebhookView", ("MAILTRAP_TRACKING_SECRET",)),
    ("mandrill", INBOUND): Door("MandrillCombinedWebhookView", ("MANDRILL_WEBHOOK_KEY",)),
    ("mandrill", TRACKING): Door("MandrillCombinedWebhookView", ("MANDRILL_WEBHOOK_KEY",)),
    ("postal", INBOUND): Door("PostalInboundWebhookView", ("POSTAL_WEBHOOK_KEY",)),
    ("postal", TRACKING): Door("PostalTrackingWebhookView", ("POSTAL_WEBHOOK_KEY",)),
    ("postmark", INBOUND): Door("PostmarkInboundWebhookView"),
    ("postmark", TRACKING): Door("PostmarkTrackingWebhookView"),
    ("resend", INBOUND): Door("ResendInboundWebhookView", ("RESEND_INBOUND_SECRET",)),
    ("resend", TRACKING): Door("ResendTrackingWebhookView", ("RESEND_SIGNING_SECRET",)),
    ("sendgrid", INBOUND): Door("SendGridInboundWebhookView"),
    ("sendgrid", TRACKING): Door("SendGridTrackingWebhookView", ("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",)),
    ("sparkpost", INBOUND): Door("SparkPostInboundWebhookView"),
    ("sparkpost", TRACKING): Door("SparkPostTrackingWebhookView"),
    ("unisender_go", TRACKING): Door("UnisenderGoTrackingWebhookView", ("UNISENDER_GO_API_KEY",)),
}


class Closed(Exception):
    """It cannot be taken; the words say why. Whoever got another answer than 404 and 403 may try again."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


class _Unreadable(Exception):
    """It came from the provider, and anymail cannot make anything of it."""


def take(request: HttpRequest, provider: str, kind: str) -> HttpResponse:
    """What a provider tells, done: a mail is stored, and read by a job. Raises `Closed`."""
    view = _view(provider, kind)
    # Django's limit of 2 MB is one for forms; the server has counted the bytes before. Read here, it is not asked.
    request._body = request.read()  # noqa: SLF001
    try:
        return view(request)
    except _Unreadable as unreadable:
        _keep(request, provider, kind, str(unreadable))
        return HttpResponse()
    except Exception as problem:
        closed = _why_closed(problem, provider)
        if closed is None:
            raise
        raise closed from problem


def _keep(request: HttpRequest, provider: str, kind: str, why: str) -> None:
    """Nothing that may have been a mail is lost."""
    log.error("What %s told cannot be understood (%s).", provider, why)
    if kind != TRACKING:
        words = f"What {provider} posted cannot be understood ({why}). It is kept as it came."
        intake.keep(request.body, _envelope(request, provider), words)


def _why_closed(problem: Exception, provider: str) -> Closed | None:
    """What the provider is told; None for a fault of ours."""
    from anymail import exceptions

    if isinstance(problem, exceptions.AnymailWebhookValidationFailure):
        return Closed(f"This is not proven to come from {provider}: {problem}", 403)
    if isinstance(problem, ImproperlyConfigured | ImportError):
        return Closed(f"{provider} cannot be listened to: {error_line(problem)}", 503)
    if isinstance(problem, exceptions.AnymailError | OSError):  # which those of `requests` are
        return Closed(f"{provider} did not hand over what it told of: {error_line(problem)}", 503)
    if isinstance(problem, DatabaseError) and is_trouble(problem):
        return Closed("It cannot be stored now; please try again later.", 503)
    return None


def _view(provider: str, kind: str) -> Callable[[HttpRequest], HttpResponse]:
    door = DOORS.get((provider, kind))
    if door is None:
        raise Closed(f"Nothing is taken at /mail/{provider}/{kind}/.", 404)
    if find_spec("anymail") is None:
        raise Closed("Mail from providers needs an extra: pip install 'daytwo-server[mail]'.", 404)
    if kind != TRACKING and not conf.current().mail_inbound:
        raise Closed("No mail is taken: DAYTWO_MAIL_INBOUND does not name the address that it comes to.", 404)
    if not any(settings.ANYMAIL.get(name) for name in ("WEBHOOK_SECRET", *door.keys)):
        or_keys = f", or {door.keys[0]} in DAYTWO_MAIL_WEBHOOK_KEYS" if door.keys else ""
        raise Closed(f"Closed until DAYTWO_MAIL_WEBHOOK_SECRET{or_keys} says how {provider} proves itself.", 403)
    return _guarded(provider, getattr(_module(provider), door.view))


def _module(provider: str) -> Any:
    module: Any = import_module(f"anymail.webhooks.{provider}")
    if provider == "resend" and find_spec("svix") is None:  # a dozen packages for one HMAC
        module.SvixWebhook, module.WebhookVerificationError = Svix, BadSignature
    if hasattr(module, "requests"):
        module.requests = _Patient  # anymail waits for ever, on a thread that pages need
    return module


def _guarded(provider: str, view_class: Any) -> Callable[[HttpRequest], HttpResponse]:
    """The view of anymail, which tells what is wrong with what was said from what is wrong with us, or on the way."""
    from anymail import exceptions, signals

    class View(view_class):  # type: ignore[misc]
        def parse_events(self, request: HttpRequest) -> Any:
            try:
                return super().parse_events(request)
            except (exceptions.AnymailError, ImproperlyConfigured, OSError):
                raise
            except Exception as error:
                raise _Unreadable(error_line(error)) from error

        def post(self, request: HttpRequest) -> HttpResponse:
            # Not by Django's signals, which are one for all: two of them registered would be two mails.
            challenge = _challenge(self, request)
            if challenge is not None:
                return challenge
            self.run_validators(request)
            for event in self.parse_events(request):
                if event is not None:
                    (_inbound if self.signal is signals.inbound else _tracking)(event, request, provider)
            return HttpResponse()

    view: Callable[[HttpRequest], HttpResponse] = View.as_view()
    return view


def _challenge(view: Any, request: HttpRequest) -> HttpResponse | None:
    """Amazon sends its password only when it is asked for it."""
    if view.basic_auth and "Authorization" not in request.headers:
        return HttpResponse(
            "A password is needed.", status=401, headers={"WWW-Authenticate": 'Basic realm="mail"'},
            content_type="text/plain",
        )  # fmt: skip
    return None


def _inbound(event: Any, request: HttpRequest, provider: str) -> None:
    if event.message is not None:
        jobs.take([(_raw(event.message), _envelope(request, provider, event.message))])


def _raw(message: Message) -> bytes:
    """The mail again, of which anymail gives away the parts alone: the same but for how headers are folded."""
    for part in message.walk():
        # What anymail itself attached is bare bytes, where line ends would be made alike.
        bare = "Content-Transfer-Encoding" not in part and part.get_content_maintype() not in _OF_LINES
        if bare and not part.is_multipart():
            encode_base64(part)
    return flat(message, policy=email.policy.compat32.clone(linesep="\r\n"))


def _envelope(request: HttpRequest, provider: str, message: Any = None) -> Envelope:
    sender, recipients = getattr(message, "envelope_sender", ""), getattr(message, "envelope_recipient", "")
    named = tuple(each.strip() for each in str(recipients or "").split(",") if each.strip())
    return Envelope(str(sender or ""), named, provider, request.META.get("REMOTE_ADDR", ""))


def _tracking(event: Any, _request: HttpRequest, provider: str) -> None:
    if not event.message_id:
        return
    at = event.timestamp or clock.now()
    words = event.mta_response or event.description or event.reject_reason or event.event_type
    known = afterwards.told(
        str(event.message_id), str(event.recipient or ""), str(event.event_type), at=at, words=str(words)
    )
    if not known and afterwards.under_way(str(event.recipient or "")):
        raise Closed(f"{provider} is quicker than we are; please try again in a minute.", 503)


class BadSignature(Exception):
    """It was not signed with this key, or too long ago."""


class Svix:
    """Signatures of Svix, by which Resend sends its webhooks. The interface is that of the package `svix`."""

    def __init__(self, secret: str) -> None:
        try:
            self._key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError as wrong:
            raise ImproperlyConfigured("The secret of a webhook looks like whsec_..., in base64.") from wrong

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises `BadSignature`. https://docs.svix.com/receiving/verifying-payloads/how-manual"""
        told_id, stamp, signatures = (headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature"))
        if not stamp.isdecimal() or abs(clock.now().timestamp() - int(stamp[:12])) > SVIX_PATIENCE_S:
            raise BadSignature("Its time is missing, or not now.")
        digest = hmac.digest(self._key, f"{told_id}.{stamp}.".encode() + body, hashlib.sha256)
        expected = f"v1,{base64.b64encode(digest).decode()}".encode()
        if not any(hmac.compare_digest(each.encode(), expected) for each in signatures.split()):
            raise BadSignature("It is signed with another key.")


class _Patient:
    """As much of `requests` as anymail's views use."""

    @staticmethod
    def get(url: str, **options: Any) -> Any:
        import requests

        return requests.get(url, timeout=PATIENCE_S, **options)
