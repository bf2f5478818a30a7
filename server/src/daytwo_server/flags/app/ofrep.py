"""OFREP: what a flag answers, or all of them, for a context. https://github.com/open-feature/protocol

Its released clients want more than its description says: a value and a variant with each answer, and a key, a code and
words with each refusal. docs/reference/ofrep.md has what is answered when.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from daytwo.flags.bucketing import identity
from daytwo.flags.values import text
from daytwo_server.flags.app import answers, body
from daytwo_server.flags.app.answers import ANY_ORIGIN, JSON, Answer, Headers, Refused
from daytwo_server.flags.app.environment import Environment, Said
from daytwo_server.flags.app.tally import Tally

log = logging.getLogger(__name__)

MAX_BODY = 64 << 10
# With a public key anybody may ask, and what is asked is what rules with regular expressions go through.
MAX_PUBLIC_BODY = 16 << 10
_LONGEST_KEY = 200
_HEADERS: Headers = [JSON, (b"cache-control", b"no-store")]
_ANY = [*_HEADERS, *ANY_ORIGIN]

Given = tuple[str | None, str | None, str | None, Mapping[str, Any]]  # as the evaluator takes it


def context_of(sent: bytes) -> Given:
    """Whom it is asked for. Raises `Refused` 400."""
    found = body.parse(sent) if sent else {}
    if found.__class__ is not dict:
        raise Refused(400, "The body has to be an object with a context.", code="PARSE_ERROR")
    context = found.get("context")
    if context is None:
        context = {}
    if context.__class__ is not dict:
        raise Refused(400, "The context has to be an object.", code="INVALID_CONTEXT")
    user = context.get("targetingKey")
    if user.__class__ is not str and user is not None:
        if identity(user) is None:
            raise Refused(400, "The targetingKey has to be a text.", code="INVALID_CONTEXT")
        user = identity(user)
    plan = context.get("plan")
    return (
        user or identity(context.get("userId")), identity(context.get("organizationId")),
        plan if plan.__class__ is str else text(plan), context,
    )  # fmt: skip


def single(here: Environment, tally: Tally, key: str, given: Given, *, is_server: bool) -> Said:
    """What this flag answers, which counts as an exposure."""
    decide = here.decides(is_server=is_server).get(key)
    if decide is None:
        if key in here.breaks(is_server=is_server):
            return here.failure(key, "PARSE_ERROR")
        if is_server:  # with a public key, anybody could invent them
            tally.miss(key)
        return here.failure(key[:_LONGEST_KEY], "FLAG_NOT_FOUND")
    try:
        found = decide(*given)
    except Exception:
        log.exception("Flag %s could not be evaluated.", key)
        return here.failure(key, "GENERAL")
    tally.answers[found] = tally.answers.get(found, 0) + 1
    return here.said(found, is_server=is_server)


def bulk(here: Environment, given: Given, *, is_server: bool) -> bytes:
    """What all flags answer, as a JSON list. No exposure: nobody knows yet which of them the app goes by."""
    said = here.said
    found: list[bytes] = []
    for key, decide in here.decides(is_server=is_server).items():
        try:
            found.append(said(decide(*given), is_server=is_server).body)
        except Exception:
            log.exception("Flag %s could not be evaluated.", key)
            found.append(here.failure(key, "GENERAL").body)
    found += [here.failure(key, "PARSE_ERROR").body for key in sorted(here.breaks(is_server=is_server))]
    return b"[%b]" % b",".join(found)


def answer_single(said: Said, cors: Headers) -> Answer:
    """One flag."""
    return Answer(said.status, said.body, _ANY if cors is ANY_ORIGIN else [*_HEADERS, *cors])


def answer_bulk(flags: bytes, here: Environment, stream: str, *, if_none_match: bytes, cors: Headers) -> Answer:
    """All flags, or 304 where the client has just these. `stream` is where it hears of changes.

    The ETag is of what was evaluated, and so of the context too: the same definitions answer another plan otherwise,
    and an override that expired changes no definition.
    """
    etag = f'W/"{hashlib.blake2b(flags, digest_size=12).hexdigest()}"'
    headers = [*_HEADERS, *cors, (b"etag", etag.encode())]
    if if_none_match and answers.has(if_none_match, etag):
        return Answer(304, b"", headers)
    more = {
        "metadata": {"flagSetId": here.name},
        "eventStreams": [{"type": "sse", "endpoint": {"requestUri": stream}}],
    }
    return Answer(200, b'{"flags":%b,%b' % (flags, answers.encode(more)[1:]), headers)


def refused(refusal: Refused, key: str, cors: Headers) -> Answer:
    """A refusal in OFREP's words."""
    found = {"errorCode": refusal.code, "errorDetails": refusal.words}
    if key:
        found = {"key": key[:_LONGEST_KEY], **found}
    return Answer(refusal.status, answers.encode(found), [*refusal.headers(), *cors])
