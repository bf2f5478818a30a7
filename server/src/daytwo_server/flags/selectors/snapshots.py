"""The flags of an environment as the evaluator reads them: docs/reference/flag-snapshot.md."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Q

from daytwo.flags import Ruleset
from daytwo.flags.ruleset import FORMAT
from daytwo_server.catalog.models import Environment
from daytwo_server.core import clock
from daytwo_server.flags import fields
from daytwo_server.flags.models import Edition, Flag, Override, Segment, State

_KEPT = 16  # environments whose rules are in memory
_ATTEMPTS = 3

_rulesets: OrderedDict[int, Ruleset] = OrderedDict()
_lock = threading.Lock()


def revision(environment: int) -> int:
    """How often the flags of an environment changed; 0 for one that is unknown. One query."""
    found = Edition.objects.filter(environment=environment).values_list("revision", flat=True).first()
    return found or 0


def revisions() -> dict[int, int]:
    """Of all environments in which anything ever changed. One query."""
    return dict(Edition.objects.values_list("environment", "revision"))


def document(environment: int) -> dict[str, Any]:
    """The snapshot; without flags where there is no such environment. Seven queries, however many flags there are.

    Each flag carries `clientExposed` too. Archived flags and overrides that are over are left out.
    """
    for _ in range(_ATTEMPTS):
        before = revision(environment)
        found = _read(environment, before)
        # The queries are not one snapshot of the store: what changed in between is read again as a whole.
        if revision(environment) == before:
            break
    return found


def around(environment: int, key: str) -> dict[str, Any]:
    """What of the snapshot has to do with one flag: it, all that it hangs on, and all that hang on it. Eight queries.

    Of one moment in the transaction of whoever has the turn of the project: nothing changes in between.
    """
    return _read(environment, revision(environment), _family(environment, key))


def in_force() -> Q:
    """Of overrides: those that are not over."""
    return Q(expires_at=None) | Q(expires_at__gt=clock.now())


def ruleset(environment: int) -> Ruleset:
    """What evaluates, compiled anew when the environment changed. One query while it has not."""
    now = revision(environment)
    with _lock:
        known = _rulesets.get(environment)
        if known is not None and known.revision == now:
            _rulesets.move_to_end(environment)
            return known
    made = Ruleset(document(environment), previous=known)
    with _lock:
        _rulesets[environment] = made
        while len(_rulesets) > _KEPT:
            _rulesets.popitem(last=False)
    return made


def ruleset_of(environment: int, key: str) -> Ruleset:
    """What evaluates one flag: of all, where they are compiled as they are now, else of those it has to do with.

    A page of one flag must not wait for ten thousand others. One query, else nine.
    """
    with _lock:
        known = _rulesets.get(environment)
    if known is not None and known.revision == revision(environment):
        return known
    for _ in range(_ATTEMPTS):
        found = around(environment, key)
        if revision(environment) == found["revision"]:
            break
    return Ruleset(found)


def forget() -> None:
    """Have the next `ruleset` compiled anew. For tests, whose changes are taken back."""
    _rulesets.clear()


def _family(environment: int, key: str) -> set[str]:
    """Keys of a flag and of those before and after it, as prerequisites lead there."""
    hanging = State.objects.filter(
        environment=environment, flag__archived_at=None, definition__has_key="prerequisites"
    ).values_list("flag__key", "definition")
    parents = {name: {one["flag"] for one in definition["prerequisites"]} for name, definition in hanging}
    children: dict[str, set[str]] = {}
    for name, those in parents.items():
        for parent in those:
            children.setdefault(parent, set()).add(name)
    return _reached(key, parents) | _reached(key, children)


def _reached(key: str, ways: Mapping[str, Iterable[str]]) -> set[str]:
    found, ahead = {key}, [key]
    while ahead:
        new = set(ways.get(ahead.pop(), ())) - found
        found |= new
        ahead += new
    return found


def _read(environment: int, at: int, keys: Collection[str] | None = None) -> dict[str, Any]:
    """All flags, or those of the keys."""
    where = Environment.objects.filter(pk=environment).values_list("name", "project").first()
    name, project = where or ("", None)
    named = Q() if keys is None else Q(key__in=keys)
    flags = list(Flag.objects.filter(named, project=project, archived_at=None).order_by("key")) if where else []
    theirs = Q() if keys is None else Q(flag__among=[one.pk for one in flags])
    states = {one.flag_id: one for one in State.objects.filter(theirs, environment=environment)}
    excepted = _overrides(environment, Q() if keys is None else Q(state__among=[one.pk for one in states.values()]))
    segments = Segment.objects.filter(project=project).order_by("name").values_list("name", "conditions")
    return {
        "format": FORMAT,
        "environment": name,
        "revision": at,
        "segments": {title: {"conditions": conditions} for title, conditions in segments},
        "flags": [_flag(one, states.get(one.pk), excepted) for one in flags],
    }


def _overrides(environment: int, theirs: Q) -> dict[int, list[dict[str, Any]]]:
    """By state, in the order in which they were made."""
    found: dict[int, list[dict[str, Any]]] = {}
    for one in Override.objects.filter(in_force(), theirs, state__environment=environment).order_by("pk"):
        found.setdefault(one.state_id, []).append(fields.override_of(one))
    return found


def _flag(flag: Flag, state: State | None, excepted: Mapping[int, Iterable[dict[str, Any]]]) -> dict[str, Any]:
    answers, here = fields.answers_of(flag), fields.here_of(state, flag.key)
    return {
        "key": flag.key,
        "revision": state.revision if state else 0,
        **answers,
        "variants": [{"name": one["name"], "value": one["value"]} for one in answers["variants"]],
        **{name: here[name] for name in fields.EVALUATED},
        "split": fields.split_of(here["split"], answers["variants"]),
        "overrides": list(excepted.get(state.pk, ())) if state else [],
    }
