"""Conditions in Unleash's words: constraints, of which all have to hold, and alternatives of such lists.

Ours have three answers, Unleash's two: there, the inversion of what is missing holds. So what is inverted here comes
with a constraint that the attribute is understood; and what is negated as a whole does not, since "no rule matched" is
also true of what is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

from daytwo.flags import values

Constraint = dict[str, Any]
# Any of these lists, of each of which all constraints have to hold. [] holds never, [[]] always.
Alternatives = list[list[Constraint]]
Conditions = Sequence[Mapping[str, Any]]

ALWAYS: Alternatives = [[]]
_MOST = 60  # each is a strategy, and every evaluation goes through them
# There is no operator for "is set", and an empty text among values is dropped by some clients.
_LETTERS = [*"0123456789abcdefghijklmnopqrstuvwxyz"]
_OTHER_NAMES = {"targetingKey": "userId"}


class Unsayable(Exception):
    """A flag that Unleash's words cannot say without changing what it answers. The text says what of it."""


def both(one: Alternatives, other: Alternatives) -> Alternatives:
    """Where one and the other hold."""
    if len(one) * len(other) > _MOST:
        raise Unsayable(f"its rules would make more than {_MOST} strategies")
    return [[*first, *(each for each in second if each not in first)] for first in one for second in other]


def negated(found: Alternatives) -> Alternatives:
    """Wherever it does not hold."""
    size = 1
    for each in found:
        size *= len(each)
    if size > _MOST:
        raise Unsayable(f"its rules would make more than {_MOST} strategies")
    return [list(each) for each in product(*([_inverted(one) for one in each] for each in found))]


def present(name: str) -> Alternatives:
    """Where the attribute is there. One without any letter or digit (of ASCII) counts as missing."""
    return [[_constraint(name, "STR_CONTAINS", values=_LETTERS, caseInsensitive=True)]]


def absent(name: str) -> Alternatives:
    return negated(present(name))


def one_of(name: str, wanted: Sequence[str]) -> Alternatives:
    """Where the attribute is one of these texts."""
    return [[_constraint(name, "IN", values=list(wanted))]]


def until(moment: float) -> Alternatives:
    """Before that moment, in unix seconds."""
    return [[_constraint("currentTime", "DATE_BEFORE", value=_rfc3339(moment))]]


def all_hold(conditions: Conditions, segments: Mapping[str, Conditions]) -> Alternatives:
    """Where all of these are true. Raises `Unsayable`."""
    found = ALWAYS
    for condition in conditions:
        found = both(found, _answers(condition, segments)[0])
    return found


def _answers(condition: Mapping[str, Any], segments: Mapping[str, Conditions]) -> tuple[Alternatives, Alternatives]:
    """Where a condition is true, and where it is false; elsewhere it is unknown."""
    operator = condition["operator"]
    kind, _, how = operator.partition("_")
    is_inverted = bool(condition.get("inverted")) is not (operator in {"not_in", "is_not_set"})
    if operator == "segment":
        true, false = _of_segments(condition, segments)
    elif operator in {"is_set", "is_not_set"}:
        name = _name(condition)
        true, false = present(name), absent(name)
    elif kind in _KINDS:
        true, understood = _KINDS[kind](condition, how)
        false = both(negated(true), understood)
    else:
        raise Unsayable(f"Unleash has no {operator} that all of its clients understand")
    return (false, true) if is_inverted else (true, false)


def _of_segments(condition: Mapping[str, Any], segments: Mapping[str, Conditions]) -> tuple[Alternatives, Alternatives]:
    true: Alternatives = []
    false = ALWAYS
    for name in condition["values"]:
        true = [*true, *all_hold(segments[name], segments)]
        false = both(false, [one for each in segments[name] for one in _answers(each, segments)[1]])
    return true, false


# ---- Of each kind: where it is true, and where the attribute is understood at all ----

_Said = tuple[Alternatives, Alternatives]


def _among(condition: Mapping[str, Any], how: str) -> _Said:
    if condition.get("caseInsensitive"):
        raise Unsayable("in without regard to case")
    name = _name(condition)
    return one_of(name, _texts(condition)), present(name)


def _text(condition: Mapping[str, Any], how: str) -> _Said:
    name, more = _name(condition), {"caseInsensitive": True} if condition.get("caseInsensitive") else {}
    return [[_constraint(name, f"STR_{how.upper()}", values=_texts(condition), **more)]], present(name)


def _number(condition: Mapping[str, Any], how: str) -> _Said:
    name = _name(condition)
    wanted = sorted(found for one in condition["values"] if (found := values.number(one)) is not None)
    understood = [[_constraint(name, "NUM_GTE", value="-1e300")]]
    return [[_constraint(name, f"NUM_{how.upper()}", value=f"{one}")] for one in _decisive(how, wanted)], understood


def _version(condition: Mapping[str, Any], how: str) -> _Said:
    name = _name(condition)
    wanted = sorted(condition["values"], key=lambda one: values.version(one) or ())
    understood = [[_constraint(name, "SEMVER_LT", value="999999999.0.0")]]
    # Not all clients know GTE and LTE.
    operators = {"gte": ("GT", "EQ"), "lte": ("LT", "EQ")}.get(how, (how.upper(),))
    true = [
        [_constraint(name, f"SEMVER_{operator}", value=one.strip().lstrip("vV"))]
        for one in _decisive(how, wanted)
        for operator in operators
    ]
    return true, understood


def _date(condition: Mapping[str, Any], how: str) -> _Said:
    name = _name(condition)
    if name != "currentTime":
        raise Unsayable("its clients compare dates with the current time only")
    wanted = [found for one in condition["values"] if (found := values.moment(one)) is not None]
    moment = max(wanted) if how == "before" else min(wanted)
    return [[_constraint(name, f"DATE_{how.upper()}", value=_rfc3339(moment))]], ALWAYS


_KINDS: dict[str, Callable[[Mapping[str, Any], str], _Said]] = {
    "in": _among, "not": _among, "str": _text, "num": _number, "semver": _version, "date": _date,
}  # fmt: skip


def _decisive(how: str, ascending: Sequence[Any]) -> Sequence[Any]:
    """Of several values, of which one is enough, those that matter."""
    if how == "eq":
        return ascending
    return [ascending[0] if how.startswith("g") else ascending[-1]]


def _name(condition: Mapping[str, Any]) -> str:
    name: str = condition["attribute"]
    return _OTHER_NAMES.get(name, name)


def _texts(condition: Mapping[str, Any]) -> list[str]:
    found = [values.text(one) or "" for one in condition["values"]]
    if any(not one or one != one.strip() for one in found):
        raise Unsayable("a value that is empty, or begins or ends with a space")
    return found


def _constraint(name: str, operator: str, **more: Any) -> Constraint:
    return {"contextName": name, "operator": operator, "inverted": False, **more}


def _inverted(constraint: Constraint) -> Constraint:
    return constraint | {"inverted": not constraint["inverted"]}


def _rfc3339(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
