"""Saving what a file of another system holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from daytwo_server.catalog.models import Project
from daytwo_server.flags import importing
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.importing import Parsed, Unreadable
from daytwo_server.flags.importing.parsed import Imported
from daytwo_server.flags.services import overrides, saving, segments
from daytwo_server.flags.services.common import Refused

__all__ = ["FORMATS", "Result", "Unreadable", "import_flags"]

FORMATS = tuple(importing.FORMATS)


@dataclass
class Result:
    """Keys of what was imported, and why others were not; `notes` tell where what was imported answers otherwise."""

    imported: list[str] = field(default_factory=list)
    unsupported: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def import_flags(
    project: Project, environment: str, format_: str, data: Any, *, by: Actor, reason: str = "", dry_run: bool = False
) -> Result:
    """Create or replace the flags of a file in this environment; each wholly or not at all. A dry run says what it
    would do. Raises `Unreadable` when it is no such file.
    """
    parsed = importing.read(format_, data, environment)
    result = Result(unsupported=dict(parsed.unsupported))
    why = reason or f"Imported from {format_}"
    with transaction.atomic():
        broken = _segments(project, parsed, by=by, reason=why)
        for one in parsed.flags:
            if problem := _lost(one, broken, result) or _save(project, environment, one, by=by, reason=why):
                result.unsupported[one.key] = problem
            else:
                result.imported.append(one.key)
        transaction.set_rollback(dry_run)
    result.notes = {key: "; ".join(said) for key, said in parsed.notes.items() if key in result.imported}
    return result


def _segments(project: Project, parsed: Parsed, *, by: Actor, reason: str) -> dict[str, str]:
    """Those that cannot be, with the reason."""
    broken = {}
    for name, conditions in parsed.segments.items():
        try:
            segments.put(project, name, conditions, by=by, reason=reason)
        except Refused as problem:
            broken[name] = str(problem)
    return broken


def _lost(one: Imported, broken: dict[str, str], result: Result) -> str:
    """What it hangs on and is not there."""
    for each in one.body.get("prerequisites") or []:
        if each["flag"] in result.unsupported:
            return f"it hangs on {each['flag']}, which is not imported"
    for rule in one.body.get("rules") or []:
        for condition in rule["conditions"]:
            for name in condition["values"] if condition["operator"] == "segment" else ():
                if name in broken:
                    return f"its segment {name} cannot be: {broken[name]}"
    return ""


def _save(project: Project, environment: str, one: Imported, *, by: Actor, reason: str) -> str:
    """Why it cannot be; empty when it is saved."""
    try:
        with transaction.atomic():
            saved = saving.put(project, environment, one.key, one.body, by=by, reason=reason)
            assert saved.state is not None  # an environment was named
            for override in one.overrides:
                overrides.put(saved.state, **override, by=by, reason=reason)
    except Refused as problem:
        return str(problem)
    return ""
