"""Whether what was written makes sense: by the evaluator itself, and by what it only finds out when it is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q

from daytwo.flags import Ruleset
from daytwo_server.flags.models import Flag, State
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services.common import Refused

DEEPEST = 20  # flags that hang on one another, as the evaluator follows them
_OF_FLAG = re.compile(r"flags\[\d+\]\.")
_VARIANTS = re.compile(r"^split\b")


def check(flag: Flag, environments: Iterable[int]) -> None:
    """Compile these environments as they are now, in the transaction that wrote a flag. Raises `Refused`."""
    states = {one.environment_id: one for one in State.objects.filter(flag=flag)}
    for environment in environments:
        try:
            check_document(snapshots.around(environment, flag.key), flag.key)
        except Refused as problem:
            state = states.get(environment)
            if state is not None and state.definition.get("split"):
                raise
            # What is split by the weights of the variants is no field of anything.
            raise Refused({_VARIANTS.sub("variants", path): said for path, said in problem.fields.items()}) from None


def check_document(document: Mapping[str, Any], key: str) -> None:
    """Raises `Refused` for what is wrong with a flag, or with others since it is as it is."""
    made = Ruleset(document)
    if (problem := made.broken.get(key)) is not None:
        raise Refused({_OF_FLAG.sub("", problem.field, count=1): [problem.words]})
    known = {one["key"]: one for one in document["flags"]}
    if key in known:
        _check_prerequisites(known, key)
    _check_children(known, key)


def concerned(flag: int, environments: Sequence[int]) -> list[int]:
    """The environments in which a change that holds everywhere can be wrong: those where something was said of the
    flag, or where flags hang on others, and one of the rest.
    """
    hanging = Q(flag__archived_at=None, definition__has_key="prerequisites")
    states = State.objects.filter(Q(flag=flag) | hanging, environment__in=environments)
    said = set(states.values_list("environment", flat=True))
    return [*sorted(said), *[one for one in environments if one not in said][:1]]


def _check_prerequisites(known: Mapping[str, Mapping[str, Any]], key: str) -> None:
    for number, one in enumerate(known[key]["prerequisites"]):
        at = f"prerequisites[{number}]"
        if one["flag"] not in known:
            raise Refused({f"{at}.flag": [f"there is no flag {one['flag']!r} in this project"]})
        if one["flag"] == key:
            raise Refused({f"{at}.flag": ["a flag cannot hang on itself"]})
        names = {variant["name"] for variant in known[one["flag"]]["variants"]}
        for variant in one.get("variants") or ():
            if variant not in names:
                raise Refused({f"{at}.variants": [f"{one['flag']} has no variant {variant!r}"]})
    if circle := _circle(known, key):
        raise Refused({"prerequisites": [f"they lead in a circle: {' → '.join(circle)}"]})
    if len(chain := _longest(known, key)) > DEEPEST:
        raise Refused({"prerequisites": [f"{len(chain)} flags hang on one another; at most {DEEPEST} may"]})


def _check_children(known: Mapping[str, Mapping[str, Any]], key: str) -> None:
    """Those that hang on the flag must go on finding it, and the variants that they name."""
    names = {variant["name"] for variant in known[key]["variants"]} if key in known else set()
    for child in known.values():
        for one in child["prerequisites"]:
            if one["flag"] != key:
                continue
            if key not in known:
                raise Refused({"key": [f"{child['key']} hangs on {key}; change that first"]})
            for variant in one.get("variants") or ():
                if variant not in names:
                    raise Refused({"variants": [f"{child['key']} waits for {variant!r}; change that first"]})


def _parents(known: Mapping[str, Mapping[str, Any]], key: str) -> list[str]:
    return [one["flag"] for one in known[key]["prerequisites"] if one["flag"] in known] if key in known else []


def _circle(known: Mapping[str, Mapping[str, Any]], key: str) -> list[str]:
    """The way from a flag over what it hangs on back to itself, or empty."""
    came_from: dict[str, str] = {}
    ahead = [key]
    while ahead:
        here = ahead.pop()
        for parent in _parents(known, here):
            if parent == key:
                way = [here]
                while way[-1] != key:
                    way.append(came_from[way[-1]])
                return [*reversed(way), key]
            if parent not in came_from:
                came_from[parent] = here
                ahead.append(parent)
    return []


def _longest(known: Mapping[str, Mapping[str, Any]], key: str) -> list[str]:
    """The longest chain of flags through this one, where there are no circles."""
    children: dict[str, list[str]] = {}
    for one in known:
        for parent in _parents(known, one):
            children.setdefault(parent, []).append(one)
    up = _chain(key, lambda one: _parents(known, one), {})
    down = _chain(key, lambda one: children.get(one, []), {})
    return [*up, *down[1:]]


def _chain(key: str, next_of: Any, found: dict[str, list[str]], depth: int = 0) -> list[str]:
    if key not in found and depth <= DEEPEST:
        further = [_chain(one, next_of, found, depth + 1) for one in next_of(key)]
        found[key] = [key, *max(further, key=len, default=[])]
    return found.get(key, [key])
