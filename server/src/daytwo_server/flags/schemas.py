"""What the API says about flags, in camelCase. What is sent is read by `reading`, which names what is wrong."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ninja import Schema
from pydantic import ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel


def _any(kind: str, text: str, *, nullable: bool = True) -> Any:
    """A field of any value, told of as one kind: what is wrong with it is said in our words."""
    types: list[JsonValue] = [kind, "null"] if nullable else [kind]
    return Field(None, description=text, json_schema_extra={"type": types})


class _Out(Schema):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class FlagIn(Schema):
    """What a flag is everywhere, and in one environment. Docs: docs/reference/flags-api.md."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    key: Any = _any("string", "As in the address; it never changes")
    name: Any = _any("string", "For people")
    description: Any = _any("string", "For people")
    type: Any = _any("string", "boolean, string, integer, float or object")
    variants: Any = _any("array", "{name, value, weight?}; a boolean flag that names none has on and off")
    off_variant: Any = _any("string", "Served when the flag is off; off")
    default_variant: Any = _any("string", "Served when it is on and nothing is split; on")
    kind: Any = _any("string", "release, experiment, ops or permission")
    client_exposed: Any = _any("boolean", "Whether client keys may ask for it")
    owner: Any = _any("string", "A member's address")
    tags: Any = _any("array", "Texts")
    remove_by: Any = _any("string", "A day, 2026-11-23")
    enabled: Any = _any("boolean", "Off for everybody when false")
    killed: Any = _any("boolean", "Off for everybody when true, whatever else it says")
    rollout_percentage: Any = _any("number", "0 to 100 with three decimals; null is 100")
    allowed_plans: Any = _any("array", "Nobody else has it")
    allowed_users: Any = _any("array", "Users who have it without the rollout, if their plan allows")
    split: Any = _any("array", "{variant, weight}, percents that add up to 100")
    bucket_by: Any = _any("string", "userId, organizationId or an attribute; null is the user, else the organization")
    rules: Any = _any("array", "{name, conditions, variant or split, rolloutPercentage}; the first that matches wins")
    prerequisites: Any = _any("array", "{flag, variants}")
    guard: Any = _any("object", "{enabled, action}; action is hold, step_back or kill")
    salt: Any = _any("string", "What rollouts and splits are hashed with")
    archived: Any = _any("boolean", "Of PATCH: put it away or bring it back")
    reason: Any = _any("string", "Why, for the history")
    # What GET says and nobody can set: sent back, it is passed over.
    revision: Any = _any("integer", "Only told")
    project: Any = _any("string", "Only told")
    environment: Any = _any("string", "Only told")
    killed_by: Any = _any("string", "Only told")
    kill_reason: Any = _any("string", "Only told")
    created_at: Any = _any("string", "Only told")
    changed_at: Any = _any("string", "Only told")
    last_asked_at: Any = _any("string", "Only told")


class FlagOut(_Out):
    """A flag in one environment of its project."""

    key: str
    project: str
    environment: str
    name: str
    description: str
    type: str
    variants: list[dict[str, Any]]
    off_variant: str
    default_variant: str
    kind: str
    client_exposed: bool
    owner: str | None
    tags: list[str]
    remove_by: str | None
    enabled: bool
    killed: bool
    killed_by: str | None
    kill_reason: str | None
    rollout_percentage: int | float | None
    salt: str
    allowed_plans: list[str]
    allowed_users: list[str]
    split: list[dict[str, Any]]
    bucket_by: str | None
    rules: list[dict[str, Any]]
    prerequisites: list[dict[str, Any]]
    guard: dict[str, Any] | None
    revision: int
    archived: bool
    created_at: dt.datetime
    changed_at: dt.datetime | None
    last_asked_at: dt.datetime | None


class FlagsOut(_Out):
    """One page by key; `next` is the cursor of the following one."""

    results: list[FlagOut]
    next: str | None


class OverrideIn(Schema):
    """Exactly one of userId and organizationId, and of enabled and variant."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    user_id: Any = _any("string", "Whom it is for")
    organization_id: Any = _any("string", "Or for which organization")
    enabled: Any = _any("boolean", "On or off")
    variant: Any = _any("string", "Or the variant that is served")
    expires_at: Any = _any("string", "Until when, RFC 3339")
    reason: Any = _any("string", "Why, for the history")


class OverrideOut(_Out):
    """What a flag is for one user or one organization."""

    user_id: str | None
    organization_id: str | None
    enabled: bool | None
    variant: str | None
    expires_at: dt.datetime | None
    by: str
    created_at: dt.datetime


class OverridesOut(_Out):
    """One page, the latest first."""

    results: list[OverrideOut]
    next: str | None


class ChangeOut(_Out):
    """A change. `environment` is null for what holds in all of them; before and after have the fields that differ."""

    id: int
    at: dt.datetime
    actor: str
    action: str
    reason: str
    environment: str | None
    revision: int
    before: dict[str, Any]
    after: dict[str, Any]


class ChangesOut(_Out):
    """One page, the latest first."""

    results: list[ChangeOut]
    next: str | None


class SegmentIn(Schema):
    """Conditions, all of which have to hold."""

    model_config = ConfigDict(extra="forbid")

    conditions: Any = _any("array", "{attribute, operator, values, inverted, caseInsensitive}", nullable=False)
    description: Any = _any("string", "For people")
    reason: Any = _any("string", "Why, for the history")


class SegmentOut(_Out):
    """A segment of a project."""

    name: str
    description: str
    conditions: list[dict[str, Any]]
    revision: int


class SegmentsOut(_Out):
    """All of a project, by name. They always fit on one page."""

    results: list[SegmentOut]
    next: str | None


class RampIn(Schema):
    """The steps of a new ramp, or what happens to the one that is there."""

    model_config = ConfigDict(extra="forbid")

    steps: Any = _any("array", "{percent, holdSeconds, guard?}, upwards")
    do: Any = _any("string", "hold, resume, step_back or stop")
    reason: Any = _any("string", "Why, for the history")


class RampOut(_Out):
    """The latest ramp of a flag in an environment. `step` counts from 0."""

    status: str
    steps: list[dict[str, Any]]
    step: int
    next_at: dt.datetime | None
    note: str


class SkippedOut(_Out):
    """What was left out, or is other than it was, and why."""

    key: str
    reason: str


class ImportedOut(_Out):
    """What became of a file. `notes` tells of imported flags what they answer otherwise than before."""

    imported: list[str]
    unsupported: list[SkippedOut]
    notes: list[SkippedOut]
