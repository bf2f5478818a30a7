"""Segments: conditions with a name, for the rules of all flags of a project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from daytwo.flags import Ruleset
from daytwo_server.catalog.models import Project
from daytwo_server.core import audit, clock
from daytwo_server.core.ref import Ref
from daytwo_server.flags import reading
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Change, Edition, Flag, Segment
from daytwo_server.flags.selectors.segments import used_by
from daytwo_server.flags.services.common import (
    Conflict,
    Refused,
    Told,
    Turn,
    announce,
    demand_reason,
    note,
    take,
)

MAX_SEGMENTS = 500
MAX_SEGMENT_NAME = 100


def put(
    project: Project,
    name: str,
    conditions: Sequence[Any],
    *,
    description: str | None = None,
    by: Actor,
    reason: str = "",
    expected_revision: int | None = None,
) -> Segment:
    """Make the segment of this name, or have it hold under other conditions; all flags that use it follow at once.

    None leaves the description. Raises `Refused`; and `Conflict` when it is not of the revision that is expected, if
    one is: 0 for one that is not there yet.
    """
    return _put(project, name, conditions, description, by=by, reason=reason, expected=expected_revision)[0]


def remove(segment: Segment, *, by: Actor, reason: str = "") -> None:
    """Have it no more. Raises `Refused` while a rule of a flag in use names it."""
    with transaction.atomic():
        turn = take(segment.project_id)
        if users := used_by([segment])[segment.pk]:
            keys = ", ".join(one.key for one in users[:5])
            raise Refused({"name": [f"{segment.name} is used by {keys}; change their rules first."]})
        demand_reason(reason, by)
        number = segment.pk
        segment.delete()
        _everywhere(turn)
        audit.record("flags:segment:removed", actor=by.row, ref=Ref("segment", number))


def put_back(change: Change, *, by: Actor, reason: str) -> Change | None:
    """Take back a change of a segment, by the line that one of its flags has of it."""
    was, became = change.before["segment"], change.after["segment"]
    segment = Segment.objects.filter(project=change.flag.project_id, name=became["name"]).first()
    if segment is None or segment.conditions != became["conditions"]:
        raise Conflict("The segment was changed again since, or removed: change it by hand.")
    _, changes = _put(segment.project, segment.name, was["conditions"], None, by=by, reason=reason)
    return next((one for one in changes if one.flag_id == change.flag_id), None)


@transaction.atomic
def _put(
    project: Project, name: str, conditions: Sequence[Any], description: str | None, *, by: Actor, reason: str,
    expected: int | None = None,
) -> tuple[Segment, list[Change]]:  # fmt: skip
    wanted = _read(name, conditions)
    turn = take(project.pk)
    segment = Segment.objects.filter(project=project, name=name).first()
    _expect(segment, expected)
    is_new, words = segment is None, description.strip() if description is not None else None
    if segment is None:
        _make_room(project)
        segment = Segment(project=project, name=name)
    before = segment.conditions
    is_other = is_new or before != wanted
    if not is_other and words in (None, segment.description):
        return segment, []
    kept = demand_reason(reason, by)
    segment.conditions = wanted
    segment.description = segment.description if words is None else words
    segment.revision += 1
    segment.save()
    audit.record(f"flags:segment:{'created' if is_new else 'changed'}", actor=by.row, ref=Ref("segment", segment.pk))
    return segment, _tell(turn, segment, before, by=by, reason=kept) if is_other else []


def _expect(segment: Segment | None, revision: int | None) -> None:
    if revision is None or revision == (segment.revision if segment else 0):
        return
    if segment is None:
        raise Conflict("Somebody removed this segment meanwhile.")
    raise Conflict(
        f"Somebody else changed {segment.name} meanwhile: it is at revision {segment.revision}, not {revision}."
    )


def _tell(turn: Turn, segment: Segment, before: Any, *, by: Actor, reason: str) -> list[Change]:
    """Every flag that asks for it is another one now, and its history says why."""
    _everywhere(turn)
    told = Told(
        action="segment_changed", by=by, reason=reason,
        before={"segment": {"name": segment.name, "conditions": before}},
        after={"segment": {"name": segment.name, "conditions": segment.conditions}},
    )  # fmt: skip
    users: list[Flag] = used_by([segment])[segment.pk]
    return [note(one, turn, told) for one in users]


def _everywhere(turn: Turn) -> None:
    """The document of every environment is another one, whether a flag uses the segment or not."""
    Edition.objects.filter(environment__in=turn.environments).update(revision=turn.revision, changed_at=clock.now())
    announce([], turn.environments)


def _read(name: str, conditions: Any) -> list[dict[str, Any]]:
    if not (0 < len(name) <= MAX_SEGMENT_NAME and name.isprintable() and name == name.strip()):
        raise Refused({"name": [f"A name has 1 to {MAX_SEGMENT_NAME} characters on one line."]})
    try:
        found = reading.segment_conditions(list(conditions) if isinstance(conditions, (list, tuple)) else conditions)
    except reading.Wrong as problem:
        raise Refused({problem.path: [problem.words]}) from None
    made = Ruleset({"format": 1, "segments": {"it": {"conditions": found}}, "flags": []})
    if problem_ := made.broken.get("segment it"):
        raise Refused({problem_.field.removeprefix("segments.it."): [problem_.words]})
    return found


def _make_room(project: Project) -> None:
    if Segment.objects.filter(project=project).count() >= MAX_SEGMENTS:
        raise Refused({"name": [f"There are {MAX_SEGMENTS} segments in this project; remove some of them first."]})
