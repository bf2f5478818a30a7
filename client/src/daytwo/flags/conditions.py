"""Conditions on what an app says about a user, compiled to functions.

Three answers: True, False, and None for unknown. An attribute that is missing, or of a kind that the operator does not
understand, is unknown; a condition that is unknown does not hold, and neither does its inversion.
A list holds if one of its elements does.
"""

from __future__ import annotations

import operator
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from daytwo.flags import regex, values
from daytwo.flags.invalid import Fields, Invalid

Attributes = Mapping[str, Any]
Holds = Callable[[str | None, str | None, str | None, Attributes], bool | None]  # user, organization, plan, the others
Test = Callable[[Any], bool | None]

_MANY = (list, tuple, set, frozenset)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "str_contains": operator.contains, "str_starts_with": str.startswith, "str_ends_with": str.endswith,
}  # fmt: skip
OPERATORS = frozenset({
    "in", "not_in", *_TEXTS, "regex", *(f"num_{name}" for name in _COMPARISONS), "date_before", "date_after",
    *(f"semver_{name}" for name in _COMPARISONS), "cidr", "is_set", "is_not_set", "segment",
})  # fmt: skip
_SQUEEZED = {name.replace("_", ""): name for name in OPERATORS}


def canonical(name: str) -> str | None:
    """The operator that is meant by NOT_IN, notIn or not-in: `not_in`. None when there is none."""
    return _SQUEEZED.get(re.sub(r"[^a-z]", "", name.lower()))


def compile_condition(given: Fields, segments: Mapping[str, Holds]) -> Holds:
    """A condition as a function; `Invalid` for one that makes no sense."""
    name = given.needed("operator")
    if name not in OPERATORS:
        raise Invalid(
            given.path("operator"), f"there is no operator {name!r}; there are {', '.join(sorted(OPERATORS))}"
        )
    inverted = given.flag("inverted", default=False)
    if name == "segment":
        return _in_segments(given, segments, inverted=inverted)
    if name in {"is_set", "is_not_set"}:
        wanted = (name == "is_set") is not inverted
        return reading(given.needed("attribute"), lambda value: (value is not None) is wanted)
    if not given.items("values"):
        raise Invalid(given.path("values"), "missing: with nothing to compare to, it could never hold")
    if name == "not_in":
        name, inverted = "in", not inverted
    return reading(given.needed("attribute"), _lifted(_one(name, given), inverted=inverted))


def all_of(conditions: list[Holds]) -> Holds:
    """Unknown when one is unknown and none is false."""
    if len(conditions) == 1:
        return conditions[0]

    def holds(user: str | None, organization: str | None, plan: str | None, attributes: Attributes) -> bool | None:
        answer: bool | None = True
        for condition in conditions:
            found = condition(user, organization, plan, attributes)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return holds


def reading(name: str, test: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function of user, organization, plan and the other attributes, which gives the named one to the test."""
    if name in {"userId", "targetingKey"}:
        return lambda user, organization, plan, attributes: test(user)
    if name == "organizationId":
        return lambda user, organization, plan, attributes: test(organization)
    if name == "plan":
        return lambda user, organization, plan, attributes: test(plan)
    if name == "currentTime":
        return lambda user, organization, plan, attributes: test(attributes.get("currentTime") or time.time())
    return lambda user, organization, plan, attributes: test(attributes.get(name))


def _lifted(one: Test, *, inverted: bool) -> Test:
    """From one value to what an attribute may be: missing, or several."""

    def test(value: Any) -> bool | None:
        if value is None:
            return None
        found = _any(map(one, value)) if isinstance(value, _MANY) else one(value)
        return None if found is None else found is not inverted

    return test


def _any(answers: Iterable[bool | None]) -> bool | None:
    found: bool | None = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            found = None
    return found


def _in_segments(given: Fields, segments: Mapping[str, Holds], *, inverted: bool) -> Holds:
    wanted: list[Holds] = []
    for name in given.texts("values"):
        if name not in segments:
            raise Invalid(given.path("values"), f"there is no segment {name!r}")
        wanted.append(segments[name])
    if not wanted:
        raise Invalid(given.path("values"), "missing: name a segment")

    def holds(user: str | None, organization: str | None, plan: str | None, attributes: Attributes) -> bool | None:
        found = _any(segment(user, organization, plan, attributes) for segment in wanted)
        return None if found is None else found is not inverted

    return holds


# ---- One value ----


def _one(name: str, given: Fields) -> Test:  # noqa: PLR0911 - one line for each kind
    kind, _, how = name.partition("_")
    ignore_case = given.flag("caseInsensitive", default=False)
    if name == "in":
        return _among(_parsed(given, values.text), ignore_case=ignore_case)
    if name in _TEXTS:
        return _compared_text(_TEXTS[name], _parsed(given, values.text), ignore_case=ignore_case)
    if kind == "num":
        return _compared(_COMPARISONS[how], values.number, _parsed(given, values.number))
    if kind == "semver":
        return _compared(_COMPARISONS[how], values.version, _parsed(given, values.version))
    if kind == "date":
        return _compared(operator.lt if how == "before" else operator.gt, values.moment, _parsed(given, values.moment))
    if kind == "cidr":
        return _compared(lambda one, wanted: one in wanted, values.address, _parsed(given, values.network))
    return _matched(given, ignore_case=ignore_case)


def _parsed(given: Fields, parse: Callable[[Any], Any]) -> list[Any]:
    found = []
    for number, value in enumerate(given.items("values")):
        one = parse(value)
        if one is None:
            raise Invalid(f"{given.path('values')}[{number}]", f"{value!r} is no {_WORDS[parse]}")
        found.append(one)
    return found


_WORDS: dict[Callable[[Any], Any], str] = {
    values.text: "text", values.number: "number", values.version: "version such as 1.4.0",
    values.moment: "date such as 2026-03-01T09:30:00Z", values.network: "network such as 192.0.2.0/24",
}  # fmt: skip


def _among(wanted: list[str], *, ignore_case: bool) -> Test:
    known = frozenset(one.lower() for one in wanted) if ignore_case else frozenset(wanted)

    def among(value: Any) -> bool | None:
        found = value if value.__class__ is str else values.text(value)
        if found is None:
            return None
        return (found.lower() if ignore_case else found) in known

    return among


def _compared_text(compare: Callable[[str, str], bool], wanted: list[str], *, ignore_case: bool) -> Test:
    known = [one.lower() for one in wanted] if ignore_case else wanted

    def compared(value: Any) -> bool | None:
        found = values.text(value)
        if found is None:
            return None
        found = found.lower() if ignore_case else found
        return any(compare(found, one) for one in known)

    return compared


def _compared(compare: Callable[[Any, Any], bool], parse: Callable[[Any], Any], wanted: list[Any]) -> Test:
    def compared(value: Any) -> bool | None:
        found = parse(value)
        return None if found is None else any(compare(found, one) for one in wanted)

    return compared


def _matched(given: Fields, *, ignore_case: bool) -> Test:
    searches: list[Callable[[str], bool | None]] = []
    for number, pattern in enumerate(given.texts("values")):
        try:
            searches.append(regex.compile(pattern, ignore_case=ignore_case))
        except regex.Refused as error:
            raise Invalid(f"{given.path('values')}[{number}]", str(error)) from None

    def matched(value: Any) -> bool | None:
        found = values.text(value)
        return None if found is None else _any(search(found) for search in searches)

    return matched
