"""What one request may bring. Numbers are those of Sentry's specification, in binary units as Relay reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

KIB = 1024
MIB = 1024 * KIB

# Item types that are the one main item of an envelope: at most one of them, and too large means 413.
MAIN_ITEMS = frozenset({"event", "transaction"})
# Too large is told to the client for these. Any other item over its limit is dropped and counted, so that
# the event beside it is kept.
REFUSED_WHEN_TOO_LARGE = MAIN_ITEMS | {"attachment"}

ITEM_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "event": MIB,
        "transaction": MIB,
        "span": MIB,
        "log": MIB,
        "otel_log": MIB,
        "trace_metric": MIB,
        "session": MIB,
        "sessions": MIB,
        "feedback": MIB,
        "user_report": MIB,
        "client_report": MIB,
        "replay_event": MIB,
        "check_in": 100 * KIB,
        "replay_recording": 10 * MIB,
        "profile": 50 * MIB,
        "profile_chunk": 50 * MIB,
        "replay_video": 100 * MIB,
        "attachment": 100 * MIB,
    },
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes in bytes. `stored` names the item types whose payload is written to the spool; others are only counted."""

    stored: frozenset[str] = frozenset({"event"})
    wire_bytes: int = 20 * MIB  # of a body with a content encoding; one without is held to decoded_bytes
    decoded_bytes: int = 100 * MIB
    header_bytes: int = 64 * KIB
    items: int = 1000
    encodings: int = 3
    item_bytes: Mapping[str, int] = field(default_factory=lambda: ITEM_BYTES)
    body_timeout_s: float = 60.0
