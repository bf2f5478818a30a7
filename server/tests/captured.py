"""Events as released SDKs sent them: the recorded envelopes under fixtures/sentry, taken apart."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures" / "sentry"
RECEIVED = 1_795_410_060.0  # 2026-11-23T05:01:00Z, a minute or two after the recording


@cache
def _bodies() -> dict[str, bytes]:
    found = {}
    for path in sorted(FOLDER.glob("*.envelope")):
        for header, body in _items(path.read_bytes()):
            if header.get("type") == "event":
                found[path.stem] = body
    return found


def names() -> list[str]:
    """The recordings that hold an event."""
    return list(_bodies())


def body(name: str) -> bytes:
    """The event item of a recording, as it was sent."""
    return _bodies()[name]


def event(name: str) -> dict[str, Any]:
    """A fresh decoded copy of it."""
    decoded: dict[str, Any] = json.loads(body(name))
    return decoded


def _items(envelope: bytes) -> list[tuple[dict[str, Any], bytes]]:
    position = envelope.index(b"\n") + 1
    items = []
    while position < len(envelope):
        line_end = envelope.find(b"\n", position)
        if line_end < 0:
            break
        header = json.loads(envelope[position:line_end] or b"{}")
        start = line_end + 1
        end = start + header["length"] if "length" in header else envelope.find(b"\n", start) % (len(envelope) + 1)
        items.append((header, envelope[start:end]))
        position = end + 1
    return items
