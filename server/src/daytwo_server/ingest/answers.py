"""The answers of intake: status, JSON body, CORS, rate-limit headers."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import msgspec

from daytwo_server.ingest.refused import Refused

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# All categories that hold SDKs back, by the names which SDKs of several ages use. Not in it: what the SDK counts as
# "internal", which are its client reports. A limit without categories would silence those too, and with them the
# only trace of what was lost.
CATEGORIES = (
    "default;error;transaction;span;log_item;log_byte;session;attachment;monitor;profile;profile_chunk;replay;"
    "feedback;metric;trace_metric;metric_bucket;security"
)
# Relay answers 202 and 201 on these two; SDKs and crontab lines expect no body.
CRON_STATUS = 202
ATTACHMENTS_STATUS = 201

_METHODS = b"POST, OPTIONS"
_ALLOW_HEADERS = (
    b"x-sentry-auth, content-type, content-encoding, authorization, sentry-trace, baggage, x-requested-with, "
    b"x-forwarded-for, origin, referer, accept, authentication, transfer-encoding"
)
# Without these a page cannot see that it is asked to slow down.
_EXPOSED = (b"access-control-expose-headers", b"x-sentry-error, x-sentry-rate-limits, retry-after")
_ANY_ORIGIN: Headers = [(b"access-control-allow-origin", b"*"), _EXPOSED]
_JSON = (b"content-type", b"application/json")
_NOT_PRINTABLE = re.compile(r"[^ -~]")
_encode = msgspec.json.encode


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Headers


def cors(origin: str = "", *, restricted: bool = False) -> Headers:
    """Headers for a page from `origin`: any page may read the answer, unless the key names its origins."""
    if not restricted or not origin:
        return _ANY_ORIGIN
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin"), _EXPOSED]


def preflight(cors_headers: Headers) -> Answer:
    return Answer(
        200,
        b"",
        [
            *cors_headers,
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _ALLOW_HEADERS),
            (b"access-control-max-age", b"3600"),
        ],
    )


def accepted(event_id: str | None, cors_headers: Headers, *, status: int = 200) -> Answer:
    """200 with the event's id, or with an empty object when there was no event."""
    body = b'{"id":"%b"}' % event_id.encode() if event_id else b"{}"
    return Answer(status, body, [_JSON, *cors_headers])


def refused(refusal: Refused, cors_headers: Headers) -> Answer:
    headers = [_JSON, *cors_headers, (b"x-sentry-error", _NOT_PRINTABLE.sub("?", refusal.detail)[:300].encode())]
    if refusal.status == 429:
        seconds = refusal.retry_after_s
        limit = f"{seconds}:{CATEGORIES}:{refusal.scope}:{refusal.reason}"
        headers += [(b"retry-after", b"%d" % seconds), (b"x-sentry-rate-limits", limit.encode())]
    return Answer(refusal.status, _encode({"detail": refusal.detail, "causes": list(refusal.causes)}), headers)


def not_allowed(allow: bytes) -> Answer:
    detail = {"detail": "This method is not allowed here.", "causes": [f"Allowed: {allow.decode()}."]}
    return Answer(405, _encode(detail), [_JSON, (b"allow", allow), *_ANY_ORIGIN])


def not_found(detail: str) -> Answer:
    return Answer(404, _encode({"detail": detail, "causes": []}), [_JSON, *_ANY_ORIGIN])


async def send_answer(send: Send, answer: Answer) -> None:
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
