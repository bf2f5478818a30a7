"""The exceptions of an event as a tree: the one that reached the SDK first, under it what it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daytwo_server.errors.normalize import main_exception
from daytwo_server.errors.web.event.frames import Trace, trace
from daytwo_server.errors.web.event.values import as_dict, dicts, line


@dataclass(frozen=True, slots=True)
class Raised:
    """One exception. `relation` says how it led to the one above; `depth` is 0 for the main one."""

    type: str
    value: str
    module: str
    depth: int
    relation: str
    mechanism: str
    handled: bool | None
    trace: Trace | None
    raw: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.type}: {self.value}" if self.type and self.value else self.type or self.value or "Exception"


def exceptions(event: dict[str, Any], *, everything: bool = False) -> list[Raised]:
    """In the order of reading: every exception directly above those that it came from."""
    values = dicts(event.get("exception"))
    main = main_exception(event) if values else None
    if main is None:
        return []
    platform = line(event.get("platform"))
    return [
        _exception(
            raw, depth, relation,
            trace(raw.get("stacktrace"), platform=platform, name=f"e{place}", everything=everything),
        )
        for place, (raw, depth, relation) in enumerate(_walk(values, main))
    ]  # fmt: skip


def _walk(values: list[dict[str, Any]], main: dict[str, Any]) -> list[tuple[dict[str, Any], int, str]]:
    """(exception, depth, relation). Without ids the list is a plain chain, oldest cause first."""
    children: dict[int, list[dict[str, Any]]] = {}
    for raw in reversed(values):
        parent = _mechanism(raw).get("parent_id")
        if type(parent) is int and raw is not main:
            children.setdefault(parent, []).append(raw)
    found: list[tuple[dict[str, Any], int, str]] = []
    waiting = [(main, 0)]
    seen: set[int] = set()
    while waiting:
        raw, depth = waiting.pop()
        if id(raw) in seen:  # the ids are the sender's and may form a circle
            continue
        seen.add(id(raw))
        found.append((raw, depth, _relation(raw) if depth else ""))
        own = _mechanism(raw).get("exception_id")
        if type(own) is int:
            waiting += [(child, depth + 1) for child in reversed(children.get(own, []))]
    rest = [raw for raw in reversed(values) if id(raw) not in seen]
    deepest = found[-1][1]
    return found + [(raw, deepest + place, _relation(raw)) for place, raw in enumerate(rest, start=1)]


def _relation(raw: dict[str, Any]) -> str:
    source = line(_mechanism(raw).get("source"))
    if source == "__context__":
        return "while handling"
    return "one of the group" if "[" in source else "caused by"


def _exception(raw: dict[str, Any], depth: int, relation: str, stack: Trace | None) -> Raised:
    mechanism = _mechanism(raw)
    handled = mechanism.get("handled")
    return Raised(
        type=line(raw.get("type")),
        value=str(raw.get("value") or "").strip(),
        module=line(raw.get("module")),
        depth=depth,
        relation=relation,
        mechanism=line(mechanism.get("type")),
        handled=handled if isinstance(handled, bool) else None,
        trace=stack,
        raw=raw,
    )


def _mechanism(raw: dict[str, Any]) -> dict[str, Any]:
    return as_dict(raw.get("mechanism"))


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread; `state` names what is special about it, `key` tells it apart in the event."""

    key: str
    name: str
    state: str
    trace: Trace | None


def threads(event: dict[str, Any], *, everything: bool = False) -> list[Thread]:
    """The threads, the crashed one first."""
    platform = line(event.get("platform"))
    raw = sorted(dicts(event.get("threads")), key=lambda one: not one.get("crashed"))
    return [
        Thread(
            key=f"t{place}",
            name=line(one.get("name")) or f"Thread {line(one.get('id')) or '?'}",
            state=", ".join(word for word in ("crashed", "current", "main") if one.get(word) is True),
            trace=trace(one.get("stacktrace"), platform=platform, name=f"t{place}", everything=everything),
        )
        for place, one in enumerate(raw)
    ]
