"""Answers as bytes: JSON, and what browsers have to be told."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
_EXPOSED = (b"access-control-expose-headers", b"etag, retry-after")
ANY_ORIGIN: Headers = [(b"access-control-allow-origin", b"*"), _EXPOSED]
# Authorization is never meant by the asterisk, and some browsers know no asterisk here.
_ALLOWED_HEADERS = b"authorization, x-api-key, content-type, if-none-match, last-event-id, *"
_TAG = re.compile(r'(?:W/)?"[^"]*"|\*')
encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: Headers = []


class Refused(Exception):
    """An answer that is no success, as whatever speaks to the client puts it. `code` is OFREP's."""

    def __init__(self, status: int, words: str, *, code: str = "GENERAL", retry_after_s: int = 0) -> None:
        super().__init__(words)
        self.status, self.words, self.code, self.retry_after_s = status, words, code, retry_after_s

    def headers(self) -> Headers:
        found = [JSON]
        if self.status == 401:
            found.append((b"www-authenticate", b"Bearer"))
        if self.retry_after_s:
            found.append((b"retry-after", b"%d" % self.retry_after_s))
        return found


class Gone(Exception):
    """The client hung up before its request was complete."""


def later(words: str) -> Refused:
    """What is wrong is on our side; the same request is welcome again in a moment."""
    return Refused(503, words, retry_after_s=1)


def plain(refusal: Refused) -> Answer:
    """A refusal as the API has it."""
    return Answer(refusal.status, encode({"detail": refusal.words}), refusal.headers())


def preflight() -> Answer:
    """Any page may ask; whether its key lets that page in is looked at when it does."""
    return Answer(204, b"", [
        (b"access-control-allow-origin", b"*"), (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", _ALLOWED_HEADERS), (b"access-control-max-age", b"86400"),
    ])  # fmt: skip


def cors(origin: bytes, *, restricted: bool) -> Headers:
    """What lets a page read the answer. `restricted`: the key names its origins, and this is one of them."""
    if not restricted:
        return ANY_ORIGIN
    return [(b"access-control-allow-origin", origin), (b"vary", b"origin"), _EXPOSED]


def has(if_none_match: bytes, etag: str) -> bool:
    """Whether the client has what this ETag is of. On the way, proxies may have made it a weak one."""
    known = _TAG.findall(if_none_match.decode("latin-1"))
    return "*" in known or any(tag.removeprefix("W/") == etag.removeprefix("W/") for tag in known)


async def send(send: Send, answer: Answer, *, head: bool = False) -> None:
    headers = answer.headers
    if answer.status not in {204, 304}:
        headers = [*headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
