"""Unleash: its export, and what its client API gives.

A flag there is on if one of its strategies matches; here each strategy is a rule. Both hash `group:user` alike, so that
whole percents keep their users.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from daytwo.flags.conditions import canonical
from daytwo.flags.definition import KEY
from daytwo_server.flags.importing import unleash_file
from daytwo_server.flags.importing.parsed import (
    Condition,
    Imported,
    Parsed,
    Unsupported,
    all_of,
    naming,
    negated,
    objects,
)

_KINDS = {"experiment": "experiment", "operational": "ops", "kill-switch": "ops", "permission": "permission"}
_DISABLED = {"name": "disabled", "value": ""}
_OLD_ROLLOUTS = {"gradualRolloutUserId": "userId", "gradualRolloutSessionId": "sessionId"}
_NOBODY = "who comes without a userId is off; Unleash goes by the sessionId then, or by chance"
_ODD = "of what is no number, date or version, {operator} does not hold; in Unleash its inversion does"
Alternatives = list[list[Condition]]


def read(data: Any, environment: str) -> Parsed:
    """Flags of one environment of an export, or of what the client API gives. Raises `Unreadable`."""
    file = unleash_file.read(data, environment)
    found = Parsed()
    reader = _Reader(found, file.segments)
    made: dict[str, Imported] = {}
    for feature in file.features:
        key = str(feature.get("name"))
        with naming(found, key):
            made[key] = reader.flag(key, feature)
    parents = {str(feature.get("name")): feature.get("dependencies") for feature in file.features}
    found.flags = list(_in_order(made, parents, found))
    return found


def _in_order(made: Mapping[str, Imported], parents: Mapping[str, Any], found: Parsed) -> Iterable[Imported]:
    """Each after those it hangs on; there, those do not hang on others."""
    hanging = []
    for key, one in made.items():
        with naming(found, key):
            one.body["prerequisites"] = [_prerequisite(made, each) for each in objects(parents[key], "dependencies")]
        if key in found.unsupported:
            continue
        if one.body["prerequisites"]:
            hanging.append(one)
        else:
            yield one
    gone = set(found.unsupported)
    for one in hanging:
        lost = [each["flag"] for each in one.body["prerequisites"] if each["flag"] in gone]
        if lost:
            found.unsupported[one.key] = f"it hangs on {lost[0]}, which is not imported"
        else:
            yield one


def _prerequisite(made: Mapping[str, Imported], given: Mapping[str, Any]) -> dict[str, Any]:
    parent = str(given.get("feature"))
    if parent not in made:
        raise Unsupported(f"it hangs on {parent}, which is not imported")
    if given.get("enabled") is False:
        return {"flag": parent, "variants": [made[parent].body.get("offVariant", "off")]}
    return {"flag": parent, "variants": list(given.get("variants") or [])}


class _Reader:
    def __init__(self, found: Parsed, segments: Mapping[Any, Mapping[str, Any]]) -> None:
        self.found, self.segments = found, segments

    def flag(self, key: str, feature: Mapping[str, Any]) -> Imported:
        if not KEY.fullmatch(key):
            raise Unsupported("its name is no key: letters, digits, dots, _ and - are, at most 200")
        if feature.get("archived"):
            raise Unsupported("it is archived there")
        strategies = [one for one in objects(feature.get("strategies"), "strategies") if not one.get("disabled")]
        read_ = [one for one in (self._strategy(key, one) for one in strategies) if one is not None]
        own = objects(feature.get("variants"), "variants")
        if not own and len({bool(one["variants"]) for one in read_}) > 1:
            raise Unsupported("one of its strategies serves variants and another none")
        kinds = _Variants(own, [one["variants"] for one in read_])
        salt, bucket_by = self._units(key, read_, own)
        body: dict[str, Any] = {
            "name": key,
            "kind": _KINDS.get(str(feature.get("type")), "release"),
            "enabled": bool(feature.get("enabled", False)),
            "salt": salt,
            "bucketBy": bucket_by,
            **kinds.body(),
        }
        if feature.get("description"):
            body["description"] = str(feature["description"])
        return Imported(key, body | _targeting(strategies, read_))

    def _strategy(self, key: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Its alternatives, rollout, salt and unit; None for one that never matches."""
        parameters = given.get("parameters") or {}
        if not isinstance(parameters, Mapping):
            raise Unsupported("the parameters of a strategy are no object")
        name = str(given.get("name"))
        parts = [self._constraint(key, one) for one in objects(given.get("constraints"), "constraints")]
        parts += [self._segment(key, one) for one in given.get("segments") or []]
        percent, unit = 100.0, ""
        if name == "flexibleRollout":
            percent, unit = _percent(parameters.get("rollout", 100)), str(parameters.get("stickiness") or "default")
        elif name in _OLD_ROLLOUTS:
            percent, unit = _percent(parameters.get("percentage", 0)), _OLD_ROLLOUTS[name]
        elif name == "userWithId":
            parts.append(_among("userId", "in", parameters.get("userIds")))
        elif name == "remoteAddress":
            parts.append(_among("remoteAddress", "cidr", parameters.get("IPs")))
        elif name != "default":
            raise Unsupported(f"nothing here is like the strategy {name}")
        alternatives = all_of(parts)
        if not alternatives or percent == 0:
            return None
        return {
            "name": str(given.get("title") or ""),
            "alternatives": alternatives,
            "percent": percent,
            "salt": str(parameters.get("groupId") or key),
            "unit": unit,
            "variants": objects(given.get("variants"), "variants"),
        }

    def _units(self, key: str, read_: Sequence[Mapping[str, Any]], own: Sequence[Any]) -> tuple[str, str | None]:
        """The one salt and the one unit of the flag, where anything is counted."""
        counted = [one for one in read_ if one["percent"] < 100 or len(one["variants"]) > 1]
        salts, units = {one["salt"] for one in counted}, {one["unit"] or "default" for one in counted}
        if len(own) > 1 and any(not one["variants"] for one in read_ or [{"variants": []}]):
            salts.add(key)
            units |= {str(one.get("stickiness") or "default") for one in own}
        units |= {str(one.get("stickiness") or "default") for each in counted for one in each["variants"]}
        if len(salts) > 1:
            raise Unsupported(f"it counts users by several groups ({', '.join(sorted(salts))}); here a flag has one")
        if "random" in units:
            raise Unsupported("it goes by chance; here who has a flag keeps it")
        if "default" in units:
            self.found.note(key, _NOBODY)
            units = {"userId" if one == "default" else one for one in units}
        if len(units) > 1:
            raise Unsupported(f"it counts by {' and by '.join(sorted(units))}; here a flag counts by one")
        return next(iter(salts), key), next(iter(units), None)

    def _segment(self, key: str, number: Any) -> Alternatives:
        segment = self.segments.get(str(number))
        if segment is None or "constraints" not in segment:
            raise Unsupported(f"its segment {number} is not in the file with its constraints")
        parts = [self._constraint(key, one) for one in objects(segment["constraints"], "constraints")]
        name = str(segment.get("name") or number)[:100]
        if parts and all(len(part) == 1 for part in parts):
            self.found.segments[name] = [condition for part in parts for condition in part[0]]
            return [[{"operator": "segment", "values": [name]}]]
        return all_of(parts)  # what a segment of ours cannot say stands in the rules themselves

    def _constraint(self, key: str, given: Mapping[str, Any]) -> Alternatives:
        name, attribute = canonical(str(given.get("operator"))), str(given.get("contextName") or "")
        if name is None or name in {"segment", "is_set", "is_not_set"} or not attribute:
            raise Unsupported(f"nothing here is like the constraint {given.get('operator')}")
        inverted = bool(given.get("inverted", False))
        if name == "not_in":
            name, inverted = "in", not inverted
        one = given.get("value")
        values = list(given.get("values") or ([] if one in (None, "") else [one]))
        if not values:
            return [[]] if inverted else []
        condition: Condition = {"attribute": attribute, "operator": name, "values": values}
        if given.get("caseInsensitive"):
            condition["caseInsensitive"] = True
        if not inverted:
            return [[condition]]
        if name.partition("_")[0] in {"num", "date", "semver", "cidr"}:
            self.found.note(key, _ODD.format(operator=given.get("operator")))
        return [[each] for each in negated(condition)]


class _Variants:
    """All variants that a flag and its strategies name: of one type, each with one value."""

    def __init__(self, own: Sequence[Mapping[str, Any]], others: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        self.own = own
        self.known: dict[str, str] = {}
        for one in [*own, *(each for some in others for each in some)]:
            if one.get("overrides"):
                raise Unsupported("its variants have overrides; here a rule serves a variant")
            name, value = str(one.get("name")), str((one.get("payload") or {}).get("value", one.get("name")))
            if self.known.setdefault(name, value) != value or name == _DISABLED["name"]:
                raise Unsupported(f"its variant {name} means several things")

    def body(self) -> dict[str, Any]:
        if not self.known:
            return {"type": "boolean"}
        named = [{"name": name, "value": value} for name, value in self.known.items()]
        return {
            "type": "string",
            "variants": [*named, dict(_DISABLED)],
            "offVariant": _DISABLED["name"],
            "defaultVariant": str((self.own or named)[0]["name"]),
            "split": split_of(self.own),
        }


def split_of(variants: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Weights of a thousand as percents. Raises `Unsupported` for others, which would be counted otherwise."""
    if not variants:
        return []
    weights = {str(one.get("name")): one.get("weight") for one in variants}
    if not all(isinstance(one, int) for one in weights.values()) or sum(map(int, weights.values())) != 1000:  # type: ignore[arg-type]
        raise Unsupported("the weights of its variants do not add up to 1000")
    return [{"variant": name, "weight": int(weight or 0) / 10} for name, weight in weights.items()]


def _targeting(strategies: Sequence[Any], read_: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rules, one for each alternative of each strategy; a rollout alone where there is only that."""
    if not strategies:
        return {"rolloutPercentage": None}
    if len(read_) == 1 and read_[0]["alternatives"] == [[]] and not read_[0]["variants"]:
        return {"rolloutPercentage": read_[0]["percent"]}
    rules = []
    for one in read_:
        for conditions in one["alternatives"]:
            rule: dict[str, Any] = {"name": one["name"], "conditions": conditions}
            if one["percent"] < 100:
                rule["rolloutPercentage"] = one["percent"]
            if one["variants"]:
                rule["split"] = split_of(one["variants"])
            rules.append(rule)
    return {"rules": rules, "rolloutPercentage": 0}


def _percent(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise Unsupported(f"{value!r} is no percentage") from None
    if not 0 <= found <= 100 or found != int(found):
        raise Unsupported(f"{value!r} is no whole percentage")
    return int(found)


def _among(attribute: str, operator: str, listed: Any) -> Alternatives:
    values = [one.strip() for one in str(listed or "").split(",") if one.strip()]
    return [[{"attribute": attribute, "operator": operator, "values": values}]] if values else []
