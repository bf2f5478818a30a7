"""Signed addresses, message ids and marks: how an answer finds its way back, whatever a mail program leaves out.

All are short words that only this installation can make. They say where an answer belongs, not that its sender may
write there: that is asked of the sender.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings

from daytwo_server.core import conf, signing
from daytwo_server.core.secret import derive

MAC_BYTES = 10
LONGEST_LOCAL = 64  # RFC 5321 4.5.3.1.1
_SIGNER = signing.Signer("mail", "thread", length=MAC_BYTES)
_CUSTOMER, _AGENT, _DELIVERY, _PRIVATE = 0, 1, 2, 3
_MESSAGE_ID = re.compile(r"<?t\.(\d{1,18})\.(\d{1,18})\.([a-z2-7]{16})@", re.IGNORECASE | re.ASCII)
_TAG = re.compile(r"\+([a-z2-7]{20,48})(?=@)", re.IGNORECASE)
_MARKER = re.compile(r"\bref:([a-z2-7]{20,48})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Thread:
    """What an address for answers says: the thread, who was given it (0: several of us), whether that is an agent, and
    then whether the answer is for agents alone.
    """

    thread: int
    party: int
    agent: bool
    private: bool = False


def address(thread: int, party: int, *, agent: bool, private: bool = False) -> str:
    """The address at which an answer of this party to this thread arrives; empty without DAYTWO_MAIL_INBOUND.

    Lower case throughout, since some servers fold it, and at most 64 characters before the @. Only agents answer in
    private.
    """
    if private and not agent:
        raise ValueError("Only agents answer in private.")
    return _inbound(_token((_PRIVATE if private else _AGENT) if agent else _CUSTOMER, thread, party))


def read(text: str) -> Thread | None:
    """What such an address says, with or without a name and brackets; None for any other."""
    found = _numbers(_tag(text))
    return _thread(found) if found else None


def marker(text: str) -> str:
    """The mark that says in the text of a mail what its address for answers `text` does; empty for any other."""
    return f"ref:{_tag(text)}" if read(text) else ""


def read_markers(text: str) -> list[Thread]:
    """What the marks in a text say, the first ones first, each once."""
    found = [_thread(numbers) for tag in _MARKER.findall(text) if (numbers := _numbers(tag.lower()))]
    return list(dict.fromkeys(thread for thread in found if thread))


def unmarked(text: str) -> str:
    """The text without marks, and with addresses for answers that say nothing: what was given to an agent must not
    reach anybody else inside a quote.
    """
    return _TAG.sub(lambda found: "" if _numbers(found[1].lower()) else found[0], _MARKER.sub("", text))


def bounce_address(delivery: int) -> str:
    """Where what cannot be delivered comes back to; empty without DAYTWO_MAIL_INBOUND."""
    return _inbound(_token(_DELIVERY, delivery, 0))


def read_bounce(text: str) -> int | None:
    """The delivery that such an address names."""
    found = _numbers(_tag(text))
    return found[1] if found and found[0] == _DELIVERY else None


def message_id(thread: int, message: int) -> str:
    """The Message-ID of this message, in brackets. The same message has the same one in every mail."""
    signed = f"{thread}.{message}"
    mac = _SIGNER.sign(_named(b"message-id", signed.encode()))
    return f"<t.{signed}.{_base32(mac)}@{domain()}>"


def read_message_id(text: str) -> tuple[int, int] | None:
    """Thread and message of the first such id in the text; None when there is none of ours."""
    for thread, message, mac in _MESSAGE_ID.findall(text):
        if _SIGNER.is_signed(_named(b"message-id", f"{thread}.{message}".encode()), _from_base32(mac)):
            return int(thread), int(message)
    return None


def any_message_id() -> str:
    """The Message-ID of a mail that is no message of a thread."""
    return f"<d.{secrets.token_hex(12)}@{domain()}>"


def domain() -> str:
    """The domain that our mail is from."""
    configured = conf.current()
    return configured.mail_inbound.partition("@")[2] or sender().partition("@")[2]


def sender() -> str:
    """The address that our mail is from, without a name."""
    return parseaddr(conf.current().mail_from)[1]


def instance() -> str:
    """What X-Daytwo-Instance says on all our mail: not secret, and no other installation's."""
    return _instance(settings.SECRET_KEY)


def is_instance(words: str) -> bool:
    """Whether that is what it says, or said before the secret key was replaced."""
    return words in map(_instance, signing.secret_keys())


def is_inbound(text: str) -> bool:
    """Whether this is the address of DAYTWO_MAIL_INBOUND, with or without anything after a plus."""
    local, _, host = text.lower().rpartition("@")
    base, _, _ = local.partition("+")
    return bool(base) and f"{base}@{host}" == conf.current().mail_inbound


def _instance(secret: str) -> str:
    return derive(secret, "mail", "instance").hex()[:16]


def _inbound(tag: str) -> str:
    local, _, host = conf.current().mail_inbound.partition("@")
    return f"{local}+{tag}@{host}" if local else ""


def _tag(text: str) -> str:
    local = parseaddr(text)[1].rpartition("@")[0]
    return local.partition("+")[2].lower()


def _token(kind: int, *numbers: int) -> str:
    payload = bytes([kind]) + b"".join(map(_varint, numbers))
    return _base32(payload + _SIGNER.sign(_named(b"address", payload)))


def _numbers(tag: str) -> tuple[int, int, int] | None:
    """Kind and both numbers of a token, if we signed it."""
    raw = _from_base32(tag)
    payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if not payload or not _SIGNER.is_signed(_named(b"address", payload), mac):
        return None
    first, rest = _read_varint(payload[1:])
    return payload[0], first, _read_varint(rest)[0]


def _thread(numbers: tuple[int, int, int]) -> Thread | None:
    kind, thread, party = numbers
    if kind not in {_CUSTOMER, _AGENT, _PRIVATE}:
        return None
    return Thread(thread, party, agent=kind != _CUSTOMER, private=kind == _PRIVATE)


def _varint(number: int) -> bytes:
    """Seven bits a byte, least first; the high bit says that more follow. Ids are short while they are small."""
    if number < 0:
        raise ValueError(f"{number} is no id.")
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _read_varint(data: bytes) -> tuple[int, bytes]:
    number = 0
    for at, byte in enumerate(data):
        number |= (byte & 0x7F) << (7 * at)
        if not byte & 0x80:
            return number, data[at + 1 :]
    return number, b""


def _named(purpose: bytes, data: bytes) -> bytes:
    return purpose + b"\x00" + data


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _from_base32(text: str) -> bytes:
    try:
        return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return b""
