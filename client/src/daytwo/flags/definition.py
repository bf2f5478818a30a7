"""One flag of a snapshot, read and checked: docs/reference/flag-snapshot.md says what each field means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from daytwo.flags import values
from daytwo.flags.bucketing import POINTS, POSITIONS, identity
from daytwo.flags.conditions import Holds, compile_condition
from daytwo.flags.invalid import Fields, Invalid

KEY = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)
TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,), "string": (str,), "integer": (int,), "float": (float, int), "object": (dict, list),
}  # fmt: skip
Split = list[tuple[int, str]]  # up to which point, of 1,000, which variant


@dataclass(slots=True)
class Override:
    """`serve` is a variant, or True for what the flag is when it is on. `until` is in Unix seconds."""

    serve: str | bool
    until: float | None


@dataclass(slots=True)
class Rule:
    """`below` is a position, of 100,000; without `serve`, what the flag is when it is on."""

    name: str
    conditions: list[Holds]
    written: list[Mapping[str, Any]]
    serve: str | Split | None
    below: int


@dataclass(slots=True)
class Definition:
    key: str
    revision: int
    type: str
    variants: dict[str, Any]
    off: str
    on: str
    enabled: bool
    killed: bool
    salt: str
    bucket_by: str | None
    below: int
    split: Split | None
    plans: frozenset[str]
    users: frozenset[str]
    rules: list[Rule] = field(default_factory=list)
    prerequisites: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    by_user: dict[str, Override] = field(default_factory=dict)
    by_organization: dict[str, Override] = field(default_factory=dict)

    def is_on(self, variant: str) -> bool:
        """Whether being served that variant counts as on."""
        return self.variants[variant] is True if self.type == "boolean" else variant != self.off


def key_of(given: Fields) -> str:
    """The flag's key; `Invalid` for what is none."""
    key = given.needed("key")
    if not KEY.fullmatch(key):
        raise Invalid(given.path("key"), "letters, digits, `.`, `_` and `-` make a key, at most 200 of them")
    return key


def read_definition(found: Mapping[str, Any], segments: Mapping[str, Holds], *, at: str = "") -> Definition:
    """A flag as the snapshot has it; `Invalid` names the field that makes no sense."""
    given = Fields(found, at)
    key, kind = key_of(given), given.text("type") or "boolean"
    if kind not in TYPES:
        raise Invalid(given.path("type"), f"{kind!r} is none of {', '.join(TYPES)}")
    variants = _variants(given, kind)
    read = Definition(
        key=key,
        revision=int(given.number("revision") or 0),
        type=kind,
        variants=variants,
        off=_known(given, "offVariant", variants, "off"),
        on=_known(given, "defaultVariant", variants, "on"),
        enabled=given.flag("enabled", default=False),
        killed=given.flag("killed", default=False),
        salt=given.text("salt") or key,
        bucket_by=given.text("bucketBy"),
        below=_below(given),
        split=_split(given, variants),
        plans=frozenset(given.texts("allowedPlans")),
        users=frozenset(_users(given)),
    )
    read.rules = [_rule(one, number, variants, segments) for number, one in enumerate(given.objects("rules"), 1)]
    read.prerequisites = [
        (one.needed("flag"), frozenset(one.texts("variants"))) for one in given.objects("prerequisites")
    ]
    for one in given.objects("overrides"):
        _add_override(read, one)
    return read


def _variants(given: Fields, kind: str) -> dict[str, Any]:
    if kind == "boolean" and not given.items("variants"):
        return {"on": True, "off": False}
    found: dict[str, Any] = {}
    for one in given.objects("variants"):
        name, value = one.needed("name"), one.found.get("value")
        if name in found:
            raise Invalid(one.path("name"), f"there are two variants {name!r}")
        if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            raise Invalid(one.path("value"), f"{value!r} is no {kind}")
        found[name] = float(str(value)) if kind == "float" else value
    if not found:
        raise Invalid(given.path("variants"), "missing")
    return found


def _known(given: Fields, name: str, variants: Mapping[str, Any], usual: str) -> str:
    variant = given.text(name) or (usual if usual in variants else "")
    if not variant:
        raise Invalid(given.path(name), "missing")
    if variant not in variants:
        raise Invalid(given.path(name), f"there is no variant {variant!r}")
    return variant


def _below(given: Fields) -> int:
    """The rollout as a position. No percentage is 100."""
    percentage = given.number("rolloutPercentage")
    if percentage is None:
        return POSITIONS
    if not 0 <= percentage <= 100:
        raise Invalid(given.path("rolloutPercentage"), "0 to 100 is expected")
    return round(percentage * POSITIONS / 100)


def _split(given: Fields, variants: Mapping[str, Any]) -> Split | None:
    found: Split = []
    total = 0
    for one in given.objects("split"):
        variant, weight = one.needed("variant"), one.number("weight")
        if variant not in variants:
            raise Invalid(one.path("variant"), f"there is no variant {variant!r}")
        points = round((weight if weight is not None else -1) * POINTS / 100, 6)
        if points < 0 or points != int(points):
            raise Invalid(one.path("weight"), "a percentage with one decimal is expected")
        total += int(points)
        found.append((total, variant))
    if found and total != POINTS:
        raise Invalid(given.path("split"), f"the weights add up to {total / 10:g} and not to 100")
    return found or None


def _users(given: Fields) -> list[str]:
    found = [identity(one) for one in given.items("allowedUsers")]
    if None in found:
        raise Invalid(given.path("allowedUsers"), "a list of ids is expected")
    return [one for one in found if one is not None]


def _rule(given: Fields, number: int, variants: Mapping[str, Any], segments: Mapping[str, Holds]) -> Rule:
    conditions = [compile_condition(one, segments) for one in given.objects("conditions")]
    split, variant = _split(given, variants), given.text("variant")
    if split and variant:
        raise Invalid(given.path("split"), "a rule has either a variant or a split")
    if variant is not None and variant not in variants:
        raise Invalid(given.path("variant"), f"there is no variant {variant!r}")
    name = given.text("name") or f"rule {number}"
    return Rule(name, conditions, given.items("conditions"), split or variant, _below(given))


def _add_override(read: Definition, given: Fields) -> None:
    tables = {"userId": read.by_user, "organizationId": read.by_organization}
    named = [(name, whose) for name in tables if (whose := identity(given.found.get(name)))]
    if len(named) != 1:
        raise Invalid(given.at, "an override is for either a userId or an organizationId")
    variant, enabled = given.text("variant"), given.found.get("enabled")
    if variant is not None:
        if variant not in read.variants:
            raise Invalid(given.path("variant"), f"there is no variant {variant!r}")
        serve: str | bool = variant
    elif isinstance(enabled, bool):
        serve = enabled or read.off
    else:
        raise Invalid(given.path("enabled"), "either enabled or a variant is expected")
    until = given.text("expiresAt")
    if until is not None and values.moment(until) is None:
        raise Invalid(given.path("expiresAt"), f"{until!r} is no date such as 2026-03-01T09:30:00Z")
    name, whose = named[0]
    tables[name][whose] = Override(serve, values.moment(until) if until else None)
