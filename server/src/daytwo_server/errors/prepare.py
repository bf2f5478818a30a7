"""From the bytes of one event item to everything the stores need of it. Pure: no database, no Django."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import msgspec
import zstandard

from daytwo_server.errors import grouping, normalize, scrub

decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode
# Level 3 is zstd's default: on captured events a quarter smaller than level 1 for a tenth of a millisecond.
_compressor = zstandard.ZstdCompressor(level=3)
_decompressor = zstandard.ZstdDecompressor()
MAX_BODY_BYTES = 4_000_000


class Unreadable(Exception):
    """The item is no JSON object. Intake refuses such items, so this is a damaged spool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One accepted event item and where it came from.

    Times are unix seconds; `segment` and `sequence` are its place in the spool.
    """

    project: int
    segment: int
    sequence: int
    received: float
    sent_at: float | None
    event_id: str | None
    client_ip: str
    sdk: str
    payload: bytes


@dataclass(slots=True, kw_only=True)
class Prepared:
    """An event ready to be stored.

    The digest fills in `user_key` (a hash that tells users apart, empty for nobody) and `customer`, storing fills in
    `issue`.
    """

    arrival: Arrival
    event_id: str
    timestamp: dt.datetime
    received: dt.datetime
    type: str
    value: str
    title: str
    culprit: str
    level: str
    platform: str
    handled: bool | None
    release: str
    environment: str
    transaction: str
    trace_id: str
    user: dict[str, Any]
    grouping: grouping.Grouping
    facets: dict[str, str]
    body: bytes
    user_key: str = ""
    customer: int | None = None
    issue: int = 0


def prepare(arrival: Arrival, *, scrubbing: bool, scrub_keys: tuple[str, ...] = ()) -> Prepared:
    """Normalise, scrub, group and compress one event. Raises `Unreadable`."""
    event = normalize.normalize(
        _object(arrival.payload),
        received=arrival.received,
        sent_at=arrival.sent_at,
        header_event_id=arrival.event_id,
        client_ip=arrival.client_ip or None,
    )
    user = dict(event.get("user") or {})
    if scrubbing:
        event, _ = scrub.scrub(event, extra_keys=scrub_keys)
    type_, value, title, culprit = normalize.title_of(event)
    return Prepared(
        arrival=arrival,
        event_id=event["event_id"],
        timestamp=dt.datetime.fromtimestamp(event["timestamp"], dt.UTC),
        received=dt.datetime.fromtimestamp(arrival.received, dt.UTC),
        type=type_[:200],
        value=value[:1000],
        title=title[:300],
        culprit=culprit[:300],
        level=event["level"],
        platform=str(event.get("platform") or "other")[:40],
        handled=normalize.handled(event),
        release=str(event.get("release") or "")[:250],
        environment=str(event["environment"])[:64],
        transaction=str(event.get("transaction") or "")[:200],
        trace_id=_trace_id(event),
        user=user,
        grouping=grouping.group(event),
        facets=normalize.facets(event),
        body=close_body(event),
    )


def close_body(event: dict[str, Any]) -> bytes:
    """The event as it is stored."""
    return _compressor.compress(encode(event))


def open_body(body: bytes) -> dict[str, Any]:
    """The event that `close_body` stored."""
    event: dict[str, Any] = decode(_decompressor.decompress(body, max_output_size=MAX_BODY_BYTES))
    return event


def _object(payload: bytes) -> dict[str, Any]:
    try:
        raw = decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raw = _lenient(payload)
    if not isinstance(raw, dict):
        raise Unreadable("the event is no JSON object")
    return raw


def _lenient(payload: bytes) -> Any:
    """What msgspec refuses although SDKs send it: half an emoji (JavaScript cut a string there), a broken byte."""
    try:
        return json.loads(payload.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError) as problem:
        raise Unreadable(f"the event is no JSON: {problem}") from problem


def _trace_id(event: dict[str, Any]) -> str:
    trace = (event.get("contexts") or {}).get("trace")
    return str(trace.get("trace_id") or "")[:32] if isinstance(trace, dict) else ""
