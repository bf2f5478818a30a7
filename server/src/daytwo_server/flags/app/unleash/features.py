"""Definitions of features, in version 2 of Unleash's format, made of a snapshot."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from daytwo.flags import Ruleset
from daytwo.flags.bucketing import POINTS, POSITIONS
from daytwo.flags.definition import Definition, Override, Split, read_definition
from daytwo_server.flags.app.unleash.constraints import (
    ALWAYS,
    Alternatives,
    Conditions,
    Unsayable,
    absent,
    all_hold,
    both,
    negated,
    one_of,
    until,
)  # fmt: skip

log = logging.getLogger(__name__)

_PAYLOADS = {"string": "string", "integer": "number", "float": "number", "object": "json"}
Serve = str | Split


def features(document: Mapping[str, Any], ruleset: Ruleset) -> dict[str, Any]:
    """What Unleash's clients ask for. Flags that cannot be said without changing their answers are left out.

    Percentages of rollouts are rounded down to whole ones: who is in there is in here, too.
    """
    segments = {name: found["conditions"] for name, found in (document.get("segments") or {}).items()}
    known = {
        key: read_definition(written, dict.fromkeys(segments, _never))
        for key, written in ruleset.written.items()
        if key not in ruleset.broken
    }
    said: list[dict[str, Any]] = []
    for key, read in known.items():
        try:
            said.append(_Feature(read, segments).whole(known))
        except Unsayable as why:
            log.info("Flag %s is not among those for Unleash's clients: %s.", key, why)
    return {"version": 2, "features": _with_parents(said)}


def _never(*_: Any) -> None:
    """Of segments, only their names are looked at here."""


def _with_parents(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose parents are there and hang on nothing: otherwise Unleash's clients take them for unmet."""
    by_name = {feature["name"]: feature for feature in said}
    return [
        feature for feature in said
        if all(
            parent["feature"] in by_name and not by_name[parent["feature"]].get("dependencies")
            for parent in feature.get("dependencies", ())
        )
    ]  # fmt: skip


class _Feature:
    """Goes through the steps of evaluation. `rest` is where none of those so far has decided that the flag is off.

    A step that decides for on is a strategy, and Unleash takes the first that holds.
    """

    def __init__(self, read: Definition, segments: Mapping[str, Conditions]) -> None:
        self.read, self.segments = read, segments
        self.rest: Alternatives = ALWAYS
        self.strategies: list[dict[str, Any]] = []

    def whole(self, known: Mapping[str, Definition]) -> dict[str, Any]:
        read = self.read
        parents, is_met = self._parents(known)
        is_on = read.enabled and not read.killed and is_met
        if is_on:
            self._steps()
        feature = {
            "name": read.key, "type": "release", "project": "default", "stale": False, "impressionData": False,
            # Without a strategy, Unleash's clients have it on for everybody.
            "enabled": is_on and bool(self.strategies), "strategies": self.strategies, "variants": [],
        }  # fmt: skip
        return feature | {"dependencies": parents} if parents else feature

    def _steps(self) -> None:
        read = self.read
        on: Serve = read.split or read.on
        self._overrides("userId", read.by_user, on)
        self._overrides("organizationId", read.by_organization, on)
        if read.plans:
            self.rest = both(self.rest, one_of("plan", sorted(read.plans)))
        if read.users:
            self._step(one_of("userId", sorted(read.users)), POSITIONS, on)
        for rule in read.rules:
            self._step(all_hold(rule.written, self.segments), rule.below, rule.serve or on)
        self._step(ALWAYS, read.below, on, is_last=True)

    def _overrides(self, name: str, overrides: Mapping[str, Override], on: Serve) -> None:
        now = time.time()
        groups: dict[tuple[str | bool, float | None], list[str]] = {}
        for whose, override in overrides.items():
            if override.until is None or override.until > now:
                groups.setdefault((override.serve, override.until), []).append(whose)
        for (serve, end), units in groups.items():
            served = on if serve is True else str(serve)
            when = one_of(name, sorted(units))
            # One that switches off ends with the next definitions: to say when would double all strategies after it.
            timed = both(when, until(end)) if end is not None and not self._is_off(served) else when
            self._step(timed, POSITIONS, served)

    def _step(self, when: Alternatives, below: int, serve: Serve, *, is_last: bool = False) -> None:
        """Where it holds and the unit lies within the rollout, serve this; else go on."""
        if below == 0:
            return
        if self._is_off(serve):
            if below < POSITIONS and not is_last:
                raise Unsayable("a rule that switches it off for a part of those whom it matches")
            self.rest = both(self.rest, negated(when))
            return
        is_split = not isinstance(serve, str) and serve[0][0] != POINTS
        if not is_split and below == POSITIONS:
            self._add(both(self.rest, when), None, POSITIONS, serve)
            return
        for applies, stickiness in self._units():
            self._add(both(both(self.rest, when), applies), stickiness, below, serve)
        if is_split and below == POSITIONS and not is_last:
            self.rest = both(self.rest, negated(both(when, self._no_unit())))

    def _units(self) -> list[tuple[Alternatives, str]]:
        """By what, and where. A strategy by something that is missing never holds."""
        by = self.read.bucket_by
        if by is None:
            return [(ALWAYS, "userId"), (absent("userId"), "organizationId")]
        return [(ALWAYS, "userId" if by == "targetingKey" else by)]

    def _no_unit(self) -> Alternatives:
        missing = ALWAYS
        for _, name in self._units():
            missing = both(missing, absent(name))
        return missing

    def _is_off(self, serve: Serve) -> bool:
        """Whether that is not on; `Unsayable` if it is for some: in Unleash, a variant switches nothing off."""
        variants = [serve] if isinstance(serve, str) else _weights(serve)
        are_on = {self.read.is_on(variant) for variant in variants}
        if len(are_on) > 1:
            raise Unsayable("a split between on and off")
        return not are_on.pop()

    def _add(self, where: Alternatives, stickiness: str | None, below: int, serve: Serve) -> None:
        percent = below * 100 // POSITIONS
        if percent == 0:
            return
        parameters = (
            {"rollout": str(percent), "stickiness": stickiness, "groupId": self.read.salt} if stickiness else {}
        )
        for constraints in where:
            strategy: dict[str, Any] = {
                "name": "flexibleRollout" if stickiness else "default", "parameters": parameters,
                "constraints": constraints,
            }  # fmt: skip
            if self.read.type != "boolean":
                strategy["variants"] = self._variants(serve, stickiness or "default")
            self.strategies.append(strategy)

    def _variants(self, serve: Serve, stickiness: str) -> list[dict[str, Any]]:
        weights = {serve: POINTS} if isinstance(serve, str) else _weights(serve)
        return [
            {"name": variant, "weight": weight, "stickiness": stickiness, "payload": self._payload(variant)}
            for variant, weight in weights.items()
        ]

    def _payload(self, variant: str) -> dict[str, str]:
        value = self.read.variants[variant]
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        return {"type": _PAYLOADS[self.read.type], "value": text}

    def _parents(self, known: Mapping[str, Definition]) -> tuple[list[dict[str, Any]], bool]:
        """The prerequisites, and whether they can be met at all."""
        found: list[dict[str, Any]] = []
        for key, wanted in self.read.prerequisites:
            parent = known.get(key)
            if parent is None:
                return [], False
            dependency = _dependency(parent, wanted)
            found += [dependency] if dependency else []
        return found, True


def _weights(split: Split) -> dict[str, int]:
    """Points of each variant of a split that anybody gets; its ends are cumulated."""
    ends = [0, *(end for end, _ in split)]
    found: dict[str, int] = {}
    for before, (end, variant) in zip(ends, split, strict=False):
        if end > before:
            if variant in found:
                raise Unsayable("a split with the same variant twice")
            found[variant] = end - before
    return found


def _dependency(parent: Definition, wanted: frozenset[str]) -> dict[str, Any] | None:
    """What has to be the case with the parent; None for what always is. A flag that is off has no variant there."""
    on = {variant for variant in parent.variants if parent.is_on(variant)}
    off = set(parent.variants) - on
    wanted = wanted & set(parent.variants) if wanted else frozenset(on)
    if wanted == on:
        return {"feature": parent.key, "enabled": True}
    if wanted == off:
        return {"feature": parent.key, "enabled": False}
    if wanted == on | off:
        return None
    if wanted < on and parent.type != "boolean":
        return {"feature": parent.key, "enabled": True, "variants": sorted(wanted)}
    raise Unsayable(f"it hangs on variants of {parent.key} that are on and off")
