"""JsonLogic as flagd has it, in alternatives of our conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from daytwo_server.flags.importing.parsed import Condition, Unsupported, all_of, negated

Alternatives = list[list[Condition]]
_NUMBERS = {">": "num_gt", ">=": "num_gte", "<": "num_lt", "<=": "num_lte"}
_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_VERSIONS = {"=": "semver_eq", ">": "semver_gt", ">=": "semver_gte", "<": "semver_lt", "<=": "semver_lte"}
_NAMES = {"targetingKey": "userId", "$flagd.timestamp": "currentTime"}
_CALL = re.compile(r"\$flagd\.")
MAX_DEPTH = 30


class Logic:
    """`evaluators` are the file's `$evaluators`, which conditions refer to by name."""

    def __init__(self, evaluators: Mapping[str, Any]) -> None:
        self._evaluators = evaluators

    def opened(self, rule: Any) -> Any:
        """What a reference stands for."""
        for _ in range(MAX_DEPTH):
            if not (isinstance(rule, Mapping) and set(rule) == {"$ref"}):
                return rule
            if rule["$ref"] not in self._evaluators:
                raise Unsupported(f"there is no evaluator {rule['$ref']!r} in the file")
            rule = self._evaluators[rule["$ref"]]
        raise Unsupported("its evaluators refer to one another in a circle")

    def alternatives(self, rule: Any, *, wanted: bool = True, depth: int = 0) -> Alternatives:
        """When it holds, or does not: alternatives of conditions. Raises `Unsupported`."""
        rule = self.opened(rule)
        if depth > MAX_DEPTH:
            raise Unsupported("its targeting is nested too deeply")
        if isinstance(rule, bool):
            return [[]] if rule is wanted else []
        if not isinstance(rule, Mapping) or len(rule) != 1:
            raise Unsupported(f"nothing here is like the condition {_short(rule)}")
        [(name, given)] = rule.items()
        parts = given if isinstance(given, list) else [given]
        if name in {"!", "!!"}:
            return self.alternatives(parts[0], wanted=wanted is (name == "!!"), depth=depth + 1)
        if name in {"and", "or"}:
            each = [self.alternatives(one, wanted=wanted, depth=depth + 1) for one in parts]
            return all_of(each) if (name == "and") is wanted else [one for some in each for one in some]
        condition, holds = self._condition(name, parts)
        return [[condition]] if holds is wanted else [[one] for one in negated(condition)]

    def _condition(self, name: str, parts: Sequence[Any]) -> tuple[Condition, bool]:
        """A condition, and whether it is that or its opposite."""
        if name in {"==", "===", "!=", "!=="}:
            attribute, value = _sides(parts)
            return _one("in", attribute, [value]), name.startswith("=")
        if name in _NUMBERS:
            turned = not _is_var(parts[0]) if parts else False
            attribute, value = _sides(parts)
            return _one(_NUMBERS[_TURNED[name] if turned else name], attribute, [value]), True
        if name == "in" and len(parts) == 2:
            if _is_var(parts[0]) and isinstance(parts[1], list) and parts[1]:
                return _one("in", attribute_of(parts[0]), parts[1]), True
            if _is_var(parts[1]) and isinstance(parts[0], str):
                return _one("str_contains", attribute_of(parts[1]), [parts[0]]), True
        if name in {"starts_with", "ends_with"} and len(parts) == 2 and isinstance(parts[1], str):
            return _one(f"str_{name}", attribute_of(parts[0]), [parts[1]]), True
        if name == "sem_ver" and len(parts) == 3 and parts[1] in {*_VERSIONS, "!="}:
            return _one(_VERSIONS.get(parts[1], "semver_eq"), attribute_of(parts[0]), [parts[2]]), parts[1] != "!="
        raise Unsupported(f"nothing here is like the condition {_short({name: parts})}")


def attribute_of(given: Any) -> str:
    """The attribute that a `var` names. Raises `Unsupported`."""
    if not _is_var(given):
        raise Unsupported(f"nothing here is like {_short(given)} in a condition")
    name = given["var"]
    name = name[0] if isinstance(name, list) and len(name) == 1 else name
    if not isinstance(name, str) or not name:
        raise Unsupported(f"nothing here is like {_short(given)}")
    known = _NAMES.get(name, name)
    if "." in known or _CALL.match(known):
        raise Unsupported(f"the attribute {name} lies within another; here attributes are flat")
    return known


def _one(operator: str, attribute: str, values: list[Any]) -> Condition:
    if not all(isinstance(one, (str, int, float)) for one in values):
        raise Unsupported(f"{_short(values)} are no texts and numbers")
    return {"attribute": attribute, "operator": operator, "values": values}


def _sides(parts: Sequence[Any]) -> tuple[str, Any]:
    if len(parts) != 2:
        raise Unsupported("a comparison has two sides")
    one, other = parts if _is_var(parts[0]) else (parts[1], parts[0])
    return attribute_of(one), other


def _is_var(given: Any) -> bool:
    return isinstance(given, Mapping) and set(given) == {"var"}


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"
