"""What a definition says, in words that people read: conditions, what is served, rollouts, the steps of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OPERATORS = {
    "in": "is one of",
    "not_in": "is none of",
    "str_contains": "contains",
    "str_starts_with": "begins with",
    "str_ends_with": "ends with",
    "regex": "matches",
    "num_eq": "equals",
    "num_gt": "is more than",
    "num_gte": "is at least",
    "num_lt": "is less than",
    "num_lte": "is at most",
    "date_before": "is before",
    "date_after": "is after",
    "semver_eq": "is version",
    "semver_gt": "is a version after",
    "semver_gte": "is at least version",
    "semver_lt": "is a version before",
    "semver_lte": "is at most version",
    "cidr": "is an address in",
    "is_set": "is known",
    "is_not_set": "is not known",
    "segment": "is in segment",
}
WITHOUT_VALUES = frozenset({"is_set", "is_not_set"})
WHOM = {"": "by user, else by organization", "userId": "by user", "organizationId": "by organization"}
STEPS = {
    "enabled": "Switched on",
    "prerequisites": "Prerequisites",
    "userOverride": "Override of the user",
    "organizationOverride": "Override of the organization",
    "allowedPlans": "Plans",
    "allowedUsers": "Users who have it anyway",
    "rule": "Rule",
    "rollout": "Everybody else",
}
ERRORS = {
    "TARGETING_KEY_MISSING": "There is nobody to count: give a user, an organization or what it is bucketed by.",
    "PARSE_ERROR": "The definition makes no sense, so apps use their own default.",
    "FLAG_NOT_FOUND": "There is no such flag, so apps use their own default.",
}
_MOST = 6  # values that a sentence names


def percent(thousandths: int | None) -> str:
    """A rollout as `models.State` keeps it: 25500 is "25.5%", None is all."""
    return "100%" if thousandths is None else f"{thousandths / 1000:g}%"


def share(percentage: float | None) -> str:
    """A percentage as definitions have it; None is all."""
    return "100%" if percentage is None else f"{percentage:g}%"


def whom(bucket_by: str | None) -> str:
    """Whom a rollout counts."""
    return WHOM.get(bucket_by or "", f"by {bucket_by}")


def value(given: Any) -> str:
    """A variant's value on one line."""
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


@dataclass(frozen=True)
class Clause:
    """A condition as a row shows it: what is looked at, how, and the values."""

    attribute: str
    verb: str
    values: tuple[str, ...]
    more: int = 0


def clause(condition: Mapping[str, Any]) -> Clause:
    """A condition taken apart for showing."""
    operator = str(condition.get("operator", ""))
    verb = OPERATORS.get(operator, operator)
    if condition.get("inverted"):
        verb = f"not: {verb}"
    if condition.get("caseInsensitive"):
        verb += " (any case)"
    listed = [str(one) for one in condition.get("values") or []]
    attribute = "user" if operator == "segment" else str(condition.get("attribute", ""))
    return Clause(attribute, verb, tuple(listed[:_MOST]), max(0, len(listed) - _MOST))


def sentence(condition: Mapping[str, Any]) -> str:
    """A condition on one line."""
    found = clause(condition)
    more = f" and {found.more} more" if found.more else ""
    return " ".join(filter(None, [found.attribute, found.verb, ", ".join(found.values)])) + more


def served(rule: Mapping[str, Any]) -> str:
    """What a rule, or a flag that is on, serves."""
    if split := rule.get("split"):
        return weights(split)
    return str(rule.get("variant") or "")


def weights(split: Sequence[Mapping[str, Any]]) -> str:
    """A split: "blue 50%, red 50%"."""
    return ", ".join(f"{one.get('variant')} {share(one.get('weight'))}" for one in split)


# ---- Changes ----

FIELDS = {
    "enabled": "on",
    "killed": "killed",
    "killReason": "why killed",
    "killedBy": "killed by",
    "rolloutPercentage": "rollout",
    "allowedPlans": "plans",
    "allowedUsers": "users who have it anyway",
    "split": "split",
    "bucketBy": "bucketed by",
    "rules": "rule",
    "prerequisites": "prerequisite",
    "overrides": "override",
    "guard": "guard",
    "variants": "variant",
    "offVariant": "off variant",
    "defaultVariant": "default variant",
    "clientExposed": "exposed to client keys",
    "removeBy": "remove by",
    "kind": "kind",
    "ramp": "ramp",
}
MAX_LINES = 12


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a change took away and brought, line by line: ("del" or "ins", words); of lists the elements that differ."""
    lines: list[tuple[str, str]] = []
    for name in dict.fromkeys([*before, *after]):
        old, new = _lines(name, before.get(name)), _lines(name, after.get(name))
        label = FIELDS.get(name, name)
        lines += [("del", f"{label} {line}".strip()) for line in old if line not in new]
        lines += [("ins", f"{label} {line}".strip()) for line in new if line not in old]
        if old != new and sorted(old) == sorted(new):
            lines.append(("ins", f"{label}s in another order"))
    if len(lines) > MAX_LINES:
        rest = len(lines) - MAX_LINES
        lines = [*lines[:MAX_LINES], ("", f"and {rest} more")]
    return lines


def _lines(name: str, given: Any) -> list[str]:
    if name == "rolloutPercentage":
        return [share(given)]
    if given is None or (isinstance(given, (list, str)) and not given):
        return []
    if isinstance(given, list):
        return [_line(name, one) for one in given]
    return [_line(name, given)]


def _line(name: str, given: Any) -> str:
    if isinstance(given, bool):
        return "yes" if given else "no"
    if not isinstance(given, Mapping):
        return str(given)
    return _LINES[name](given) if name in _LINES else json.dumps(given, ensure_ascii=False)


def rule_line(rule: Mapping[str, Any]) -> str:
    """A rule on one line."""
    when = " and ".join(map(sentence, rule.get("conditions") or [])) or "anybody"
    within = "" if rule.get("rolloutPercentage") is None else f", {share(rule['rolloutPercentage'])}"
    name = f"{rule['name']}: " if rule.get("name") else ""
    return f"{name}if {when} → {served(rule) or 'on'}{within}"


def override_line(given: Mapping[str, Any]) -> str:
    """An override on one line."""
    whose = f"user {given['userId']}" if given.get("userId") else f"organization {given.get('organizationId')}"
    what = given.get("variant") or ("on" if given.get("enabled") else "off")
    until = f" until {given['expiresAt']}" if given.get("expiresAt") else ""
    until += f" until T-{given['ticket']} is closed" if given.get("ticket") else ""
    return f"{whose} {what}{until}"


def _prerequisite_line(given: Mapping[str, Any]) -> str:
    return " ".join(filter(None, [str(given.get("flag", "")), ", ".join(given.get("variants") or [])]))


def _guard_line(given: Mapping[str, Any]) -> str:
    watches = {True: "watches", False: "does not watch", None: ""}[given.get("enabled")]
    action = {"hold": "holds the ramp", "step_back": "goes a step back", "kill": "switches off"}
    return ", ".join(filter(None, [watches, action.get(given.get("action", ""), "")]))


def _segment_line(given: Mapping[str, Any]) -> str:
    return f"{given.get('name')}: {' and '.join(map(sentence, given.get('conditions') or []))}"


def _variant_line(given: Mapping[str, Any]) -> str:
    weight = f" ({share(given['weight'])})" if given.get("weight") is not None else ""
    return f"{given.get('name')} = {value(given.get('value'))}{weight}"


_LINES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "rules": rule_line, "split": lambda one: weights([one]), "prerequisites": _prerequisite_line,
    "overrides": override_line, "segment": _segment_line, "variants": _variant_line, "guard": _guard_line,
}  # fmt: skip


# ---- Why somebody got what they got ----


def why(step: Mapping[str, Any]) -> str:
    """The step of an explanation (`daytwo.flags.explain`) that decided, in half a sentence."""
    if step.get("error"):
        return "nobody to count"
    return _WHY[step["step"]](step)


def _why_off(step: Mapping[str, Any]) -> str:
    return "the kill switch is pulled" if step.get("killed") else "switched off for everybody"


def _why_prerequisite(step: Mapping[str, Any]) -> str:
    keys = ", ".join(one["flag"] for one in step.get("prerequisites", []))
    return f"it hangs on {keys}"


def _why_override(step: Mapping[str, Any]) -> str:
    until = f" until {step['expiresAt']}" if step.get("expiresAt") else ""
    return f"override of the {'user' if step['step'] == 'userOverride' else 'organization'}{until}"


def _why_plan(step: Mapping[str, Any]) -> str:
    return f"the plan {step['plan']} does not have it" if step.get("plan") else "no plan is known"


def _why_rule(step: Mapping[str, Any]) -> str:
    rule = str(step.get("name", ""))
    where = "everybody else" if step["step"] != "rule" else rule if rule.startswith("rule ") else f"rule {rule}"
    return ", ".join(filter(None, [where, where_in(step)]))


_WHY: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "enabled": _why_off, "prerequisites": _why_prerequisite, "userOverride": _why_override,
    "organizationOverride": _why_override, "allowedPlans": _why_plan,
    "allowedUsers": lambda _: "one of the users who have it anyway", "rule": _why_rule, "rollout": _why_rule,
}  # fmt: skip


def where_in(step: Mapping[str, Any]) -> str:
    """Where the unit stands in a rollout: "position 17.42 is below 25%". Empty where nobody was counted."""
    if "position" not in step:
        return ""
    if "point" in step and step["rolloutPercentage"] == 100:
        return f"point {step['point']:g} of the split"
    within = step["position"] < step["rolloutPercentage"]
    text = f"position {step['position']:g} is {'below' if within else 'not below'} {share(step['rolloutPercentage'])}"
    return f"{text}, point {step['point']:g}" if "point" in step else text


RESULTS = {"decided": "Decided", "passed": "Passed on", "unused": "Not used", "not reached": "Not reached"}


@dataclass(frozen=True)
class Told:
    """A step of an explanation: its name, what came of it, and what was looked at, each with whether it held."""

    label: str
    result: str
    details: tuple[tuple[str, bool | None], ...]
    is_decisive: bool
    is_used: bool


def told(step: Mapping[str, Any]) -> Told:
    """A step for showing."""
    label = STEPS.get(step["step"], step["step"])
    if step.get("name"):
        name = str(step["name"])
        label = name.capitalize() if name.startswith("rule ") else f"{label} {name}"
    result = RESULTS[step["result"]]
    if step.get("variant"):
        result = f"{result}: {step['variant']}"
    used = step["result"] in {"decided", "passed"}
    return Told(label, result, tuple(_details(step)) if used else (), step["result"] == "decided", used)


def _details(step: Mapping[str, Any]) -> list[tuple[str, bool | None]]:
    found: list[tuple[str, bool | None]] = []
    for one in step.get("conditions", []):
        seen = f"; it is {value(one['found'])}" if one.get("found") is not None else ""
        missing = "; it is not known" if one["holds"] is None and not seen else ""
        found.append((f"{sentence(one)}{seen}{missing}", one["holds"]))
    for one in step.get("prerequisites", []):
        wanted = f" (wanted: {', '.join(one['variants'])})" if one["variants"] else ""
        found.append((f"{one['flag']} serves {one['found'] or 'nothing'}{wanted}", None))
    if step["step"] == "allowedPlans":
        found.append((f"plan is one of {', '.join(step['allowedPlans'])}; it is {step['plan'] or 'not known'}", None))
    if step["step"] == "enabled" and step["result"] == "decided":
        found.append(("the kill switch is pulled" if step["killed"] else "it is off", None))
    if "unit" in step:
        unit = step["unit"] if step["unit"] is not None else "nobody"
        found.append((f"counted {whom(step['bucketBy'])}: {unit}", None))
    if place := where_in(step):
        found.append((place, step["position"] < step["rolloutPercentage"]))
    if step.get("error"):
        found.append((ERRORS.get(step["error"], step["error"]), False))
    return found
