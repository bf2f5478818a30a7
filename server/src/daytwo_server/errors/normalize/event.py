"""The event as it is kept: known keys only, each of one shape, all of it within limits."""

import re
import uuid
from datetime import datetime
from typing import Any

from daytwo_server.errors.normalize import sections
from daytwo_server.errors.normalize.limits import Trimmer
from daytwo_server.errors.normalize.scalars import MAX_SHORT, pairs_of, text_of, unix_seconds

LEVELS = frozenset({"fatal", "error", "warning", "info", "debug"})
_LEVEL_ALIASES = {"critical": "fatal", "warn": "warning", "log": "info", "notice": "info", "trace": "debug"}
_PYTHON_LEVELS = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "fatal"}

DRIFT_S = 60.0  # clocks this close count as right; the difference is time on the wire
MAX_AGE_S = 30 * 86_400.0  # older than the retention of most event streams: a wrong clock, not a late event

_MAX_TAGS = 200
_MAX_FINGERPRINT = 20
_HEX_ID = re.compile(r"[0-9a-f]{32}\Z")

# Names of SDKs before 2018, still sent by old Raven clients.
_LEGACY = {
    "sentry.interfaces.Exception": "exception",
    "sentry.interfaces.Stacktrace": "stacktrace",
    "sentry.interfaces.Message": "logentry",
    "sentry.interfaces.Http": "request",
    "sentry.interfaces.User": "user",
    "sentry.interfaces.Breadcrumbs": "breadcrumbs",
    "sentry.interfaces.Contexts": "contexts",
    "sentry.interfaces.threads.Threads": "threads",
    "culprit": "transaction",
}


def normalize(
    raw: Any,
    *,
    received: datetime | float,
    sent_at: float | None = None,
    header_event_id: str | None = None,
    client_ip: str | None = None,
) -> dict[str, Any]:
    """The event as Daytwo keeps it, from any JSON value; never raises.

    `received` and `sent_at` (the sender's clock when the envelope left) are unix seconds. The event id of the
    envelope header wins over the payload's. `client_ip` is the resolved address of the sender: pass it where the
    SDK may ask for it (`{{auto}}`, or JavaScript's `infer_ip`), None where addresses are not to be stored.

    Always there: event_id (32 hex), timestamp and received (unix seconds), level, platform, environment, tags,
    sdk. The other keys are there when the SDK sent something for them. `_meta_trimmed` lists what was cut or
    corrected, as `path: what`.
    """
    payload = _with_current_names(raw) if isinstance(raw, dict) else {}
    received_s = received.timestamp() if isinstance(received, datetime) else float(received)
    trimmer = Trimmer()
    event: dict[str, Any] = {
        "event_id": _event_id(header_event_id, payload.get("event_id")),
        "timestamp": _timestamp(payload.get("timestamp"), received_s, sent_at, trimmer),
        "received": received_s,
        "level": _level(payload.get("level")),
        "platform": text_of(payload.get("platform")) or "other",
        "environment": text_of(payload.get("environment")) or "production",
        "tags": tags(payload.get("tags"), trimmer),
        "sdk": sections.sdk(payload.get("sdk")),
    }
    for name in ("release", "dist", "server_name", "transaction", "logger"):
        if (text := trimmer.text(payload.get(name), name, limit=MAX_SHORT)) is not None:
            event[name] = text
    optional = {
        **sections.message(payload, trimmer),
        "fingerprint": _fingerprint(payload, trimmer),
        "exception": sections.exception(payload.get("exception"), trimmer),
        "stacktrace": sections.stacktrace(payload.get("stacktrace"), "stacktrace", trimmer),
        "threads": sections.threads(payload.get("threads"), trimmer),
        "breadcrumbs": sections.breadcrumbs(payload.get("breadcrumbs"), trimmer),
        "user": sections.user(payload, client_ip, trimmer),
        "request": sections.request(payload.get("request"), trimmer),
        "contexts": sections.contexts(payload.get("contexts"), trimmer),
        "extra": sections.mapping(payload.get("extra"), "extra", trimmer),
        "modules": sections.modules(payload.get("modules"), trimmer),
        "debug_meta": sections.debug_meta(payload.get("debug_meta"), trimmer),
    }
    event.update((name, value) for name, value in optional.items() if value)
    if trimmer.notes:
        event["_meta_trimmed"] = trimmer.notes
    return event


def tags(value: Any, trimmer: Trimmer) -> dict[str, str]:
    """Tags as text to text; an empty or structured value is no tag."""
    found: dict[str, str] = {}
    for raw_key, raw_value in pairs_of(value)[: _MAX_TAGS * 2]:
        key, text = text_of(raw_key), trimmer.text(raw_value, "tags", limit=MAX_SHORT)
        if key is not None and text is not None:
            found[key] = text
        if len(found) == _MAX_TAGS:
            trimmer.note("tags", f"only the first {_MAX_TAGS} kept")
            break
    return found


def _with_current_names(raw: dict[str, Any]) -> dict[str, Any]:
    legacy = {new: raw[old] for old, new in _LEGACY.items() if old in raw and new not in raw}
    return {**raw, **legacy} if legacy else raw


def _event_id(*candidates: Any) -> str:
    for candidate in candidates:
        if isinstance(candidate, str):
            text = candidate.replace("-", "").lower()
            if _HEX_ID.match(text):
                return text
    return uuid.uuid4().hex


def _timestamp(value: Any, received: float, sent_at: Any, trimmer: Trimmer) -> float:
    """When it happened, by our clock: the sender's clock is off by (received - sent_at), wire time aside."""
    happened = unix_seconds(value)
    if happened is None:
        if value is not None:
            trimmer.note("timestamp", "unreadable, replaced by the time of receipt")
        return received
    sent = unix_seconds(sent_at)
    if sent is not None and abs(received - sent) > DRIFT_S:
        happened += received - sent
        trimmer.note("timestamp", f"moved by {received - sent:.0f} s, the sender's clock is off")
    if happened > received + DRIFT_S or happened < received - MAX_AGE_S:
        trimmer.note("timestamp", "impossible, replaced by the time of receipt")
        return received
    return happened


def _level(value: Any) -> str:
    if isinstance(value, str):
        name = value.lower()
        return name if name in LEVELS else _LEVEL_ALIASES.get(name, "error")
    return _PYTHON_LEVELS.get(value, "error") if type(value) is int else "error"


def _fingerprint(payload: dict[str, Any], trimmer: Trimmer) -> list[str]:
    raw = payload.get("fingerprint")
    if isinstance(raw, str):
        raw = [raw]
    parts = [text_of(part) for part in trimmer.items(raw, "fingerprint", limit=_MAX_FINGERPRINT)]
    named = [part for part in parts if part is not None]
    # Raven's `checksum` was a fingerprint of one part.
    checksum = text_of(payload.get("checksum"))
    return named or ([checksum] if checksum else [])
