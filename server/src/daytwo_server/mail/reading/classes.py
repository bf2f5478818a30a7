"""What sort of mail it is, by what its headers say, and what a bounce tells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message

from daytwo_server.mail import threads
from daytwo_server.mail.letter import Envelope, Kind
from daytwo_server.mail.reading.charsets import decode_header_value

_MACHINE = re.compile(r"(mailer-daemon|postmaster)@", re.IGNORECASE)
_DAEMON = re.compile(r"\W*mailer-daemon\b", re.IGNORECASE)  # some give it no domain
_PRECEDENCE = frozenset({"auto_reply", "auto-reply", "bulk", "junk", "list"})
# X-Auto-Response-Suppress is none of these: Exchange puts it on what people write.
_AUTOMATIC = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-loop", "list-id")
_REPORTS = frozenset({"disposition-notification", "feedback-report"})
_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_SAID = 4000  # characters of a report that are looked through and shown

Headers = Mapping[str, Sequence[str]]  # by lower-case name


@dataclass(frozen=True)
class Bounce:
    """What came back. `message_ids` name the mail, `recipients` those who did not get it, `failed` is false for a
    notice that it is only late.
    """

    message_ids: tuple[str, ...]
    recipients: tuple[str, ...]
    failed: bool
    reason: str


def kind_of(message: Message, headers: Headers, envelope: Envelope, *, sender: str) -> Kind:
    """The first that fits: our own, a bounce, automatic, written by a person."""
    if _is_own(headers, sender):
        return Kind.OWN
    report = _report_type(message)
    if report == "delivery-status" or _MACHINE.match(sender) or _DAEMON.match(_first(headers, "from")):
        return Kind.BOUNCE
    return Kind.AUTOMATIC if report in _REPORTS or _is_automatic(headers, envelope) else Kind.HUMAN


def has_null_sender(headers: Headers, envelope: Envelope) -> bool:
    """Whether no bounce may be sent for it. An envelope whose sender is not known says nothing."""
    return envelope.sender == "<>" or _first(headers, "return-path") == "<>"


def bounce_in(message: Message) -> Bounce:
    """What the report says; where it is none, what can be found in it."""
    parts = list(message.walk())
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    fields = _fields(status)
    ids = [found for part in parts[1:] for found in _ID.findall(str(part.get("Message-ID", "")))]
    ids += [found for part in parts if part.get_content_type() == "text/rfc822-headers" for found in _ids_in(part)]
    ids += [found for name in ("In-Reply-To", "References") for found in _ID.findall(str(message.get(name, "")))]
    plain = next((part for part in parts if part.get_content_type() == "text/plain"), None)
    said = _text(plain)
    if not ids and status is None:
        ids = _ID.findall(said)
    action = fields.get("action", "failed").lower()
    return Bounce(
        message_ids=tuple(dict.fromkeys(ids)),
        recipients=tuple(filter(None, [fields.get("final-recipient", "").partition(";")[2].strip().lower()])),
        failed=action == "failed" and not fields.get("status", "").startswith(("2.", "4.")),
        reason=(fields.get("diagnostic-code", "") or fields.get("status", "") or " ".join(said.split()))[:500],
    )


def authenticity(headers: Headers, authserv: str) -> bool | None:
    """What our own mail server found out about the sender (DMARC); None when it did not, or we do not know its name.

    Only its newest word counts: whoever forges a header can only put it below.
    """
    for value in headers.get("authentication-results", ()) if authserv else ():
        named, _, results = value.partition(";")
        if named.split()[:1] == [authserv]:
            found = re.search(r"\bdmarc\s*=\s*(\w+)", results, re.IGNORECASE)
            verdict = found[1].lower() if found else ""
            return {"pass": True, "fail": False}.get(verdict)
    return None


def _is_own(headers: Headers, sender: str) -> bool:
    if any(map(threads.is_instance, headers.get("x-daytwo-instance", ()))):
        return True
    ours = threads.read_message_id(_first(headers, "message-id"))
    return ours is not None and sender == threads.sender().lower()


def _is_automatic(headers: Headers, envelope: Envelope) -> bool:
    submitted = _first(headers, "auto-submitted").partition(";")[0].strip().lower()
    if submitted not in {"", "no"} or any(name in headers for name in _AUTOMATIC):
        return True
    return _first(headers, "precedence").lower() in _PRECEDENCE or has_null_sender(headers, envelope)


def _report_type(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    return str(message.get_param("report-type") or "").lower()


def _fields(status: Message | None) -> dict[str, str]:
    """Those of the whole report and of its first recipient, by lower-case name."""
    blocks = status.get_payload() if status is not None else []
    found: dict[str, str] = {}
    for block in blocks[:2] if isinstance(blocks, list) else []:
        if isinstance(block, Message):
            found |= {name.lower(): decode_header_value(str(value)) for name, value in block.raw_items()}
    return found


def _ids_in(part: Message) -> list[str]:
    named = re.search(r"(?im)^message-id:\s*(<[^<>\s]+>)", _text(part))
    return [named[1]] if named else []


def _text(part: Message | None) -> str:
    data = part.get_payload(decode=True) if part is not None else None
    return data.decode("utf-8", "replace")[:_SAID] if isinstance(data, bytes) else ""


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.get(name, ())), "").strip()
