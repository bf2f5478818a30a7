"""The whole letter."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from daytwo_server.core import conf
from daytwo_server.mail.letter import Address, Envelope, Kind, Letter
from daytwo_server.mail.reading import classes, parts, plain, quotes
from daytwo_server.mail.reading.charsets import decode_header_value
from daytwo_server.mail.reading.classes import Bounce, Headers

MAX_HEADER_BYTES = 100 * 1024
MAX_ADDRESSES = 100
MAX_REFERENCES = 100
MAX_ID = 990  # characters without the brackets; RFC 5322 2.1.1 allows lines of 998
NO_SUBJECT = "(no subject)"
# Each costs memory and time whatever is in it, so both are counted before anything is taken apart.
_MAX_BOUNDARIES, _MAX_CONTAINERS = 5000, 150
_CONTAINER = re.compile(rb"content-type:\s*(?:multipart|message)/", re.IGNORECASE)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_ID = re.compile(rf"<[^<>\s]{{1,{MAX_ID}}}>")
_ROUTE_HEADERS = ("delivered-to", "x-original-to", "envelope-to")


@dataclass(frozen=True)
class Reading:
    """A letter, and what only this room needs of it. `recipients` are all addresses that it may have been sent to, the
    surest first; `bounce` is what it says has come back, when it is one.
    """

    letter: Letter
    recipients: tuple[str, ...]
    bounce: Bounce | None
    marked: str  # the text in which marks are looked for: also what is hidden in the HTML


def read(raw: bytes, envelope: Envelope) -> Reading:
    """Read a mail. Anything is one, if need be with an unknown sender and no text."""
    notices: list[str] = []
    message = _parsed(raw, notices)
    headers = _headers(message)
    content = parts.content(message)
    sender = next(iter(_addresses(headers.get("from", ()))), None) or Address("", _bare(envelope.sender))
    subject = plain.one_line(_first(headers, "subject"))[:998] or NO_SUBJECT
    kind = classes.kind_of(message, headers, envelope, sender=sender.address)
    to, cc = _addresses(headers.get("to", ())), _addresses(headers.get("cc", ()))
    letter = Letter(
        message_id=_id(_first(headers, "message-id")),
        in_reply_to=next(iter(_ids(headers, "in-reply-to")), ""),
        references=tuple(_ids(headers, "references")[-MAX_REFERENCES:]),
        sender=sender, reply_to=tuple(_addresses(headers.get("reply-to", ()))), to=tuple(to), cc=tuple(cc),
        subject=subject, date=_date(_first(headers, "date")), text=content.text,
        stripped_text=quotes.fold(content.text, subject=subject), html=content.html,
        attachments=tuple(content.files), kind=kind,
        authentic=classes.authenticity(headers, conf.current().mail_authserv),
        from_desk="x-daytwo-instance" in headers,
        notices=(*notices, *content.notices),
    )  # fmt: skip
    found = [_bare(each) for each in envelope.recipients] + [each.address for each in (*to, *cc)]
    found += [_bare(value) for name in _ROUTE_HEADERS for value in headers.get(name, ())]
    bounce = classes.bounce_in(message) if kind == Kind.BOUNCE else None
    return Reading(letter, tuple(dict.fromkeys(filter(None, found))), bounce, f"{content.text}\n{content.html}")


def _parsed(raw: bytes, notices: list[str]) -> Message:
    end = _END_OF_HEADERS.search(raw, 0, MAX_HEADER_BYTES)
    if end is None and len(raw) > MAX_HEADER_BYTES:
        notices.append("The mail has more than 100 kB of headers; what follows them was not read.")
        return email.message_from_bytes(raw[:MAX_HEADER_BYTES], policy=email.policy.compat32)
    too_many = raw.count(b"\n--") > _MAX_BOUNDARIES or len(_CONTAINER.findall(raw)) > _MAX_CONTAINERS
    if too_many and end is not None:
        notices.append("The mail has too many parts to be taken apart: it is attached as it came.")
        return _unopened(raw, end.start())
    return email.message_from_bytes(raw, policy=email.policy.compat32)


def _unopened(raw: bytes, end: int) -> Message:
    """Its headers, and all of it as one attachment."""
    message = email.message_from_bytes(raw[:end], policy=email.policy.compat32)
    for name in ("Content-Type", "Content-Transfer-Encoding", "Content-Disposition"):
        del message[name]
    message["Content-Type"] = "application/octet-stream"
    message.add_header("Content-Disposition", "attachment", filename="mail.eml")
    message.set_payload(raw.decode("ascii", "surrogateescape"))
    return message


def _headers(message: Message) -> Headers:
    """Readable text of every header, by lower-case name. Those at the top come first."""
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        # Addresses are decoded once they are taken apart: a name may hold what separates them.
        raw = str(value)
        found.setdefault(name.lower(), []).append(raw if name.lower() in _ADDRESSED else decode_header_value(raw))
    return found


_ADDRESSED = frozenset({"from", "to", "cc", "reply-to"})


def _addresses(values: Sequence[str]) -> list[Address]:
    """Those in the headers, the first hundred."""
    unfolded = [
        " ".join(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split()) for value in values
    ]
    found = []
    for name, address in getaddresses([value[:20_000] for value in unfolded]):
        plain_address = plain.one_line(address).lower()
        if "@" in plain_address and len(plain_address) <= 320 and " " not in plain_address:
            found.append(Address(plain.one_line(decode_header_value(name))[:200], plain_address))
    return found[:MAX_ADDRESSES]


def _bare(address: str) -> str:
    return plain.one_line(address).strip("<> ").lower()


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.get(name, ())), "").strip()


def _id(value: str) -> str:
    """A message id in its brackets; what has none gets them. One that is longer than a line of a mail may be is none:
    cut, it would be that of another mail too.
    """
    found = _ID.search(value)
    bare = "".join(value.split()).strip("<>")
    return found[0] if found else f"<{bare}>" if 0 < len(bare) <= MAX_ID else ""


def _ids(headers: Headers, name: str) -> list[str]:
    return list(dict.fromkeys(_ID.findall(" ".join(headers.get(name, ()))[:100_000])))


def _date(value: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(value)
        return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
