"""Creating flags and changing what they are: everywhere, and in one environment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from daytwo_server.accounts.models import Membership, User
from daytwo_server.catalog.models import Environment, Project
from daytwo_server.catalog.services.environments import ensure_environment
from daytwo_server.core import clock
from daytwo_server.flags import fields, reading
from daytwo_server.flags.actors import MAX_BY, Actor
from daytwo_server.flags.facts import FlagKilled
from daytwo_server.flags.models import MAX_NAME, Change, Flag, Ramp, State, Type
from daytwo_server.flags.services import checking
from daytwo_server.flags.services.common import (
    Conflict,
    Refused,
    Told,
    Turn,
    demand_reason,
    difference,
    note,
    take,
)

__all__ = ["MAX_FLAGS", "Conflict", "Refused", "Saved", "patch", "put"]

MAX_FLAGS = 10_000  # in use in a project
MAX_ENVIRONMENT = 64


@dataclass(frozen=True)
class Saved:
    """What came of it. `change` is the last one that was noted, None when nothing is other than before; `state` is
    None only where no environment was named.
    """

    flag: Flag
    state: State | None
    created: bool
    change: Change | None


def put(
    project: Project,
    environment: Environment | str,
    key: str,
    body: Mapping[str, Any],
    *,
    by: Actor,
    reason: str = "",
    expected_revision: int | None = None,
) -> Saved:
    """Make the flag what the body says, in the words of the API, everywhere and in this environment; what it does not
    name is as if nobody had ever said anything, but for the salt and what is only for people to read.

    A flag, and an environment that is named by a text, is made when it is not there yet. Raises `Refused`; and
    `Conflict` when the state is not of the revision that is expected, if one is.
    """
    said = _read(body, (*fields.SHARED, *fields.HERE))
    _same_key(body, key)
    with transaction.atomic():
        where = environment if isinstance(environment, Environment) else _environment(project, environment)
        turn = take(project.pk)
        flag, created = _held(project, key)
        kept = {*fields.FOR_PEOPLE, "salt"}
        wanted = {name: value for name, value in fields.DEFAULTS.items() if name not in kept} | said
        wanted["name"] = wanted["name"] or flag.name
        saving = _Saving(flag, where, turn, by=by, reason=reason, created=created)
        return saving.save(wanted, expected_revision)


def patch(
    flag: Flag,
    environment: Environment | None,
    fields_: Mapping[str, Any],
    *,
    by: Actor,
    reason: str = "",
    expected_revision: int | None = None,
    action: str = "",
) -> Saved:
    """Change what is named and nothing else. `action` is what the change is called, where it is no ordinary one.

    Without an environment only fields that hold everywhere may be named. Raises `Refused`, `Conflict`.
    """
    said = _read(fields_, (*fields.SHARED, *(fields.HERE if environment else ())))
    _same_key(fields_, flag.key)
    with transaction.atomic():
        turn = take(flag.project_id)
        held = Flag.objects.select_related("project", "owner").get(pk=flag.pk)
        if held.archived_at is not None:
            raise Refused({"key": [f"{held.key} is archived. Bring it back first."]})
        saving = _Saving(held, environment, turn, by=by, reason=reason, action=action)
        return saving.save(said, expected_revision)


class _Saving:
    """One call of `put` or `patch`, whose turn it is."""

    def __init__(
        self,
        flag: Flag,
        environment: Environment | None,
        turn: Turn,
        *,
        by: Actor,
        reason: str,
        created: bool = False,
        action: str = "",
    ) -> None:
        self.flag, self.environment, self.turn = flag, environment, turn
        self.by, self.reason, self.created, self.action = by, reason, created, action
        self.state = self._state()

    def save(self, wanted: Mapping[str, Any], expected: int | None) -> Saved:
        self._expect(expected)
        said = _usual(wanted, self.flag)
        shared = {name: said[name] for name in fields.SHARED if name in said}
        here = {name: said[name] for name in fields.HERE if name in said}
        everywhere = self._difference(fields.shared_of(self.flag), shared)
        local = self._difference(fields.here_of(self.state, self.flag.key), here)
        if not (self.created or everywhere[1] or local[1]):
            return Saved(self.flag, self._made(), self.created, None)
        self.reason = demand_reason(self.reason, self.by)
        self._write_shared(everywhere[1])
        state = self._made()
        self._write_here(state, local[1])
        self._check(everywhere[1], local[1])
        change = self._note(everywhere, local)
        if state is not None:
            state.refresh_from_db()
        return Saved(self.flag, state, self.created, change)

    def _state(self) -> State | None:
        if self.environment is None or self.flag.pk is None:
            return None
        return State.objects.filter(flag=self.flag, environment=self.environment).first()

    def _made(self) -> State | None:
        """The state, made where nobody said anything of the environment yet: then it is off, as it was without."""
        if self.state is None and self.environment is not None:
            self.state = State.objects.create(flag=self.flag, environment=self.environment, salt=self.flag.key)
        return self.state

    def _expect(self, revision: int | None) -> None:
        now = self.state.revision if self.state else 0
        if revision is not None and revision != now:
            raise Conflict(f"Somebody else changed {self.flag.key} meanwhile: it is at revision {now}, not {revision}.")

    def _difference(
        self, before: Mapping[str, Any], wanted: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return ({}, dict(wanted)) if self.created else difference(before, wanted)

    def _write_shared(self, new: Mapping[str, Any]) -> None:
        columns = _columns(new, self.flag)
        for name, value in columns.items():
            setattr(self.flag, name, value)
        if self.created:
            self.flag.save()
        elif columns:
            self.flag.save(update_fields=list(columns))

    def _write_here(self, state: State | None, new: Mapping[str, Any]) -> None:
        if state is None or not new:
            return
        definition = {name: new[name] for name in fields.IN_DEFINITION if name in new}
        state.definition = {name: value for name, value in {**state.definition, **definition}.items() if value}
        state.enabled = new.get("enabled", state.enabled)
        if "rolloutPercentage" in new:
            state.rollout = fields.thousandths(new["rolloutPercentage"])
        if "salt" in new:
            state.salt = new["salt"]
        if "guard" in new:
            state.guard = new["guard"] or {}
        if "killed" in new:
            _kill(state, killed=new["killed"], by=self.by.name, reason=self.reason)
        state.save()

    def _check(self, everywhere: Mapping[str, Any], local: Mapping[str, Any]) -> None:
        if self.created or fields.ANSWERS & everywhere.keys():
            checking.check(self.flag, checking.concerned(self.flag.pk, self.turn.environments))
        elif self.environment is not None and set(fields.IN_DEFINITION) & local.keys():
            checking.check(self.flag, [self.environment.pk])

    def _note(self, everywhere: tuple[Any, Any], local: tuple[Any, Any]) -> Change | None:
        """First what holds everywhere, then what holds here: each can be taken back by itself."""
        change: Change | None = None
        if self.created or everywhere[1]:
            action = "created" if self.created else self.action or "changed"
            change = note(self.flag, self.turn, self._told(action, everywhere, None))
        said = _said(local[1]) if self.created else local[1]
        if self.environment is not None and said:
            before = {name: local[0].get(name) for name in said}
            told = self._told(self.action or _action_of(said), (before, said), self.environment.pk)
            killed = [self._killed()] if said.get("killed") else []
            change = note(self.flag, self.turn, told, *killed)
            _settle_ramps(self.state, said, self.by, self.action)
        return change

    def _told(self, action: str, sides: tuple[Any, Any], environment: int | None) -> Told:
        return Told(
            action=action, by=self.by, reason=self.reason, before=sides[0], after=sides[1], environment=environment
        )

    def _killed(self) -> FlagKilled:
        assert self.environment is not None
        return FlagKilled(
            flag=self.flag.pk, environment=self.environment.pk, revision=self.turn.revision, by=self.by.code
        )


def _read(body: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    unknown = [name for name in body if name not in names and name != "key"]
    if unknown:
        raise Refused({str(name)[:100]: ["there is no such field here"] for name in unknown[:10]})
    try:
        return reading.read(body, names)
    except reading.Wrong as problem:
        raise Refused({problem.path: [problem.words]}) from None


def _same_key(body: Mapping[str, Any], key: str) -> None:
    if body.get("key") not in (None, key):
        raise Refused({"key": [f"The key of a flag never changes: it is {key}."]})


def _held(project: Project, key: str) -> tuple[Flag, bool]:
    flag = Flag.objects.select_related("project", "owner").filter(project=project, key=key).first()
    if flag is not None:
        if flag.archived_at is not None:
            raise Refused({"key": [f"{key} is archived. Bring it back first."]})
        return flag, False
    try:
        made = Flag(project=project, key=reading.key(key), name=key[:MAX_NAME])
    except reading.Wrong as problem:
        raise Refused({problem.path: [problem.words]}) from None
    if Flag.objects.filter(project=project, archived_at=None).count() >= MAX_FLAGS:
        raise Refused({"key": [f"There are {MAX_FLAGS} flags in this project; archive some of them first."]})
    return made, True


def _environment(project: Project, name: str) -> Environment:
    if not (0 < len(name) <= MAX_ENVIRONMENT and name.isprintable() and name == name.strip()):
        raise Refused({"environment": [f"An environment has 1 to {MAX_ENVIRONMENT} characters on one line."]})
    return ensure_environment(project, name)


def _usual(said: Mapping[str, Any], flag: Flag) -> dict[str, Any]:
    """As `fields.shared_of` and `here_of` say it, so that what is the same compares as the same."""
    usual = {"offVariant": "off", "defaultVariant": "on", "salt": flag.key}
    found: dict[str, Any] = dict(said)
    found |= {name: value for name, value in usual.items() if name in said and said[name] is None}
    is_boolean = found.get("type", flag.type) == Type.BOOLEAN
    if "variants" in found and is_boolean and (not found["variants"] or fields.is_usual(found["variants"])):
        found["variants"] = fields.on_and_off()
    return found


def _columns(new: Mapping[str, Any], flag: Flag) -> dict[str, Any]:
    """Rows say nothing where the usual holds."""
    columns: dict[str, Any] = {}
    for name, column in (("name", "name"), ("description", "description"), ("type", "type"), ("kind", "kind"),
                         ("clientExposed", "client_exposed"), ("tags", "tags")):  # fmt: skip
        if name in new:
            columns[column] = new[name]
    if "name" in columns:
        columns["name"] = columns["name"] or flag.key[:MAX_NAME]
    if "variants" in new:
        columns["variants"] = [] if fields.is_usual(new["variants"]) else new["variants"]
    for name, column, usual in (("offVariant", "off_variant", "off"), ("defaultVariant", "default_variant", "on")):
        if name in new:
            columns[column] = "" if new[name] == usual else new[name]
    if "removeBy" in new:
        columns["remove_by"] = dt.date.fromisoformat(new["removeBy"]) if new["removeBy"] else None
    if "owner" in new:
        columns["owner"] = _member(new["owner"]) if new["owner"] else None
    return columns


def _member(email: str) -> User:
    found = Membership.objects.select_related("user").filter(user__email=email.strip().lower()).first()
    if found is None:
        raise Refused({"owner": ["No member of this workspace has that address; name a member or nobody."]})
    user: User = found.user
    return user


def _said(here: Mapping[str, Any]) -> dict[str, Any]:
    """Of a new flag, what is not as it would be anyway."""
    return {name: value for name, value in here.items() if value != fields.DEFAULTS[name]}


def _action_of(new: Mapping[str, Any]) -> str:
    if "killed" in new:
        return "killed" if new["killed"] else "revived"
    if new.keys() == {"enabled"}:
        return "enabled" if new["enabled"] else "disabled"
    return "changed"


def _kill(state: State, *, killed: bool, by: str, reason: str) -> None:
    state.killed = killed
    state.killed_by = by[:MAX_BY] if killed else ""
    state.kill_reason = reason if killed else ""
    state.killed_at = clock.now() if killed else None


def _settle_ramps(state: State | None, new: Mapping[str, Any], by: Actor, action: str) -> None:
    """A ramp goes on only from where it was: who sets the rollout by hand, or switches the flag off, has taken over."""
    if action.startswith("ramp_") or state is None:
        return
    active = Ramp.objects.filter(state=state, status__in=[Ramp.Status.RUNNING, Ramp.Status.HELD])
    if "rolloutPercentage" in new:
        active.update(
            status=Ramp.Status.STOPPED, next_at=None, ended_at=clock.now(), note=f"{by.name} set the rollout"[:500]
        )
    elif new.get("killed") or new.get("enabled") is False:
        active.filter(status=Ramp.Status.RUNNING).update(
            status=Ramp.Status.HELD, next_at=None, note=f"{by.name} switched the flag off"[:500]
        )
