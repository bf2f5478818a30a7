"""Audit entries in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from daytwo_server.core import audit, ref
from daytwo_server.core.models import AuditEntry
from daytwo_server.core.ref import Ref

SYSTEM = Ref("system", "", "Daytwo itself")


@dataclass(frozen=True)
class Change:
    """One field before and after; None where it was not there."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Line:
    """An entry as people read it: `actor` `said` `object` `rest`."""

    entry: AuditEntry
    actor: Ref
    said: str
    object: Ref | None
    rest: str
    changes: list[Change]


def lines(entries: Sequence[AuditEntry]) -> list[Line]:
    """The entries with everybody and everything by name. One query for each kind of object."""
    actors = [Ref(entry.actor_kind, entry.actor_id) if entry.actor_id else SYSTEM for entry in entries]
    objects = [Ref(entry.ref_kind, entry.ref_id) for entry in entries]
    named = ref.resolve_many([*actors, *objects])
    return [
        _line(entry, actor, thing)
        for entry, actor, thing in zip(entries, named[: len(entries)], named[len(entries) :], strict=True)
    ]


def _line(entry: AuditEntry, actor: Ref, thing: Ref) -> Line:
    said, rest = audit.sentence(entry.action, entry.ref_kind)
    return Line(entry, actor, said, thing if entry.ref_kind else None, rest, changes(entry.before, entry.after))


def changes(before: str, after: str) -> list[Change]:
    """Field by field what is different. A value that is no object is the field "value"."""
    old, new = _fields(before), _fields(after)
    return [
        Change(field.replace("_", " "), old.get(field), new.get(field))
        for field in {**old, **new}
        if old.get(field) != new.get(field)
    ]


def _fields(text: str) -> dict[str, str]:
    if not text:
        return {}
    value = json.loads(text)
    return {name: _shown(one) for name, one in (value if isinstance(value, dict) else {"value": value}).items()}


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
