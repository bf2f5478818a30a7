"""flagd: flags with variants, a default one, and targeting in JsonLogic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daytwo.flags.definition import KEY
from daytwo_server.flags.importing.logic import Logic, attribute_of
from daytwo_server.flags.importing.parsed import (
    Imported,
    Parsed,
    Unreadable,
    Unsupported,
    all_of,
    naming,
    percent_weights,
)

_MOVED = "its fractions go to the same shares, but not to the same users: flagd hashes otherwise"
_DEFAULT = "flagd leaves a disabled flag to the code's default; here it serves {off}"


def read(data: Any, environment: str) -> Parsed:
    """The flags of a file. Raises `Unreadable`."""
    if not isinstance(data, Mapping) or not isinstance(data.get("flags"), Mapping):
        raise Unreadable("This is no file of flagd: an object with flags is expected.")
    evaluators = data.get("$evaluators") or {}
    if not isinstance(evaluators, Mapping):
        raise Unreadable("This is no file of flagd: $evaluators is no object.")
    found, logic = Parsed(), Logic(evaluators)
    for key, given in data["flags"].items():
        with naming(found, str(key)):
            found.flags.append(_flag(str(key), given, logic, found))
    return found


def _flag(key: str, given: Any, logic: Logic, found: Parsed) -> Imported:
    if not KEY.fullmatch(key):
        raise Unsupported("its name is no key: letters, digits, dots, _ and - are, at most 200")
    if not isinstance(given, Mapping) or not isinstance(given.get("variants"), Mapping) or not given["variants"]:
        raise Unsupported("it has no variants")
    variants, default = dict(given["variants"]), given.get("defaultVariant")
    if not isinstance(default, str) or default not in variants:
        raise Unsupported("it has no default variant, and leaves it to the code what is served")
    kind = _type(list(variants.values()))
    off = default if kind != "boolean" else next((name for name, value in variants.items() if value is False), "")
    if not off:
        raise Unsupported("none of its variants is false, so that it cannot be switched off")
    is_enabled = given.get("state", "ENABLED") == "ENABLED"
    if not is_enabled:
        found.note(key, _DEFAULT.format(off=off))
    body: dict[str, Any] = {
        "name": key,
        "type": kind,
        "variants": [{"name": name, "value": value} for name, value in variants.items()],
        "offVariant": off,
        "defaultVariant": default,
        "enabled": is_enabled,
    }
    targeting = _Targeting(key, set(variants), default, logic, found)
    return Imported(key, body | targeting.read(given.get("targeting")))


def _type(values: list[Any]) -> str:
    for kind, of in (
        ("boolean", bool),
        ("string", str),
        ("integer", int),
        ("float", (int, float)),
        ("object", (dict, list)),
    ):
        if all(isinstance(one, of) and (kind == "boolean" or not isinstance(one, bool)) for one in values):
            return kind
    raise Unsupported("its variants are values of several types")


class _Targeting:
    def __init__(self, key: str, variants: set[str], default: str, logic: Logic, found: Parsed) -> None:
        self.key, self.variants, self.default, self.logic, self.found = key, variants, default, logic, found
        self.bucket_by: str | None = None

    def read(self, targeting: Any) -> dict[str, Any]:
        rules: list[dict[str, Any]] = []
        if targeting not in (None, {}):
            self._branch(self.logic.opened(targeting), [[]], rules)
        split: list[dict[str, Any]] = []
        if rules and not rules[-1]["conditions"]:
            last = rules.pop()
            if "split" in last:
                split = last["split"]
            elif last["variant"] != self.default:
                rules.append(last)
        return {"rules": rules, "split": split, "bucketBy": self.bucket_by}

    def _branch(self, rule: Any, when: list[list[dict[str, Any]]], rules: list[dict[str, Any]]) -> None:
        """Add the rules of an expression that gives a variant, under conditions. The first that matches wins."""
        rule = self.logic.opened(rule)
        if isinstance(rule, Mapping) and set(rule) == {"if"}:
            parts = rule["if"] if isinstance(rule["if"], list) else [rule["if"]]
            for condition, then in zip(parts[0:-1:2], parts[1::2], strict=False):
                self._branch(then, all_of([when, self.logic.alternatives(condition)]), rules)
            self._branch(parts[-1] if len(parts) % 2 else None, when, rules)
            return
        serve = self._serve(rule)
        rules += [{"name": "", "conditions": conditions, **serve} for conditions in when]

    def _serve(self, rule: Any) -> dict[str, Any]:
        if isinstance(rule, Mapping) and set(rule) == {"fractional"}:
            return {"split": self._fractional(rule["fractional"])}
        if isinstance(rule, bool):
            rule = "true" if rule else "false"
        name = self.default if rule is None else rule
        if not isinstance(name, str) or name not in self.variants:
            raise Unsupported(f"its targeting gives {str(rule)[:80]!r}, which is none of its variants")
        return {"variant": name}

    def _fractional(self, parts: Any) -> list[dict[str, Any]]:
        if not isinstance(parts, list) or not parts:
            raise Unsupported("its fractions are no list")
        unit = "userId"
        if not isinstance(parts[0], list):
            unit, parts = self._unit(parts[0]), parts[1:]
        if self.bucket_by not in (None, unit):
            raise Unsupported(f"it counts by {self.bucket_by} and by {unit}; here a flag counts by one")
        self.bucket_by = unit
        weights: dict[str, float] = {}
        for one in parts:
            if not (isinstance(one, list) and one and one[0] in self.variants and len(one) <= 2):
                raise Unsupported(f"its fraction {str(one)[:80]} is none of a variant")
            weight = one[1] if len(one) == 2 else 1
            if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight < 0:
                raise Unsupported(f"its fraction {str(one)[:80]} has no weight")
            weights[one[0]] = weights.get(one[0], 0) + weight
        self.found.note(self.key, _MOVED)
        return percent_weights(weights)

    def _unit(self, given: Any) -> str:
        """The attribute that is counted by: alone, or after the key, which counts here by itself."""
        if isinstance(given, Mapping) and isinstance(given.get("cat"), list):
            parts = [one for one in given["cat"] if one not in ({"var": "$flagd.flagKey"}, self.key)]
            if len(parts) == 1:
                return attribute_of(parts[0])
        return attribute_of(given)
