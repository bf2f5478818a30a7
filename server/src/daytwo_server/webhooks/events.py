"""What can be told: rooms register their events when they are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# From the ids that were noted to what is sent, or None when that is gone by now.
Build = Callable[[Mapping[str, Any]], dict[str, Any] | None]
TEST = "webhook.test"


@dataclass(frozen=True)
class Event:
    """`text` says to people when it is told."""

    name: str
    text: str
    build: Build


_events: dict[str, Event] = {}


def register(name: str, text: str, build: Build) -> None:
    """Have this event told. Registering a name again replaces it."""
    _events[name] = Event(name, text, build)


def events() -> list[Event]:
    """All of them, by name."""
    return [_events[name] for name in sorted(_events)]


def built(name: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is sent. None when it is gone, or when this version does not know the event."""
    if name == TEST:
        return {"text": "This is a test. Nothing happened."}
    return _events[name].build(data) if name in _events else None
