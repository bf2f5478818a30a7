"""Why somebody got what they got: every step in words and numbers that a page or a person can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from daytwo.flags import values
from daytwo.flags.bucketing import POINTS, POSITIONS, point, position
from daytwo.flags.conditions import Attributes, reading
from daytwo.flags.definition import Definition, Override, Rule, Split
from daytwo.flags.evaluation import Evaluation
from daytwo.flags.units import unit_of

if TYPE_CHECKING:
    from daytwo.flags.compiler import Step

Given = tuple[str | None, str | None, str | None, Attributes]
_MOST_SHOWN = 20  # values of a condition


def walk(
    steps: Iterable[Step], read: Definition, parents: Mapping[str, Callable[..., Evaluation]], given: Given
) -> Evaluation:
    """Ask the steps one after the other; the answer carries a mapping for each: `step`, `result` and what it looked at.

    `result` is `decided`, `passed` (left to the next), `unused` (the flag has nothing of the kind) or `not reached`.
    """
    told: list[dict[str, Any]] = []
    answer: Evaluation | None = None
    for step in steps:
        entry: dict[str, Any] = {"step": step.name, **({"name": step.rule.name} if step.rule else {})}
        told.append(entry)
        if answer is not None:
            entry["result"] = "not reached"
            continue
        answer = step.decide(*given) if step.decide else None
        is_used = step.decide is not None or step.name == "enabled"
        entry["result"] = "decided" if answer is not None else "passed" if is_used else "unused"
        entry |= _details(step, read, parents, given)
        if answer is not None:
            entry["variant"] = answer.variant
            if answer.error:
                entry["error"] = answer.error
    assert answer is not None, "the last step always decides"
    return answer.explained(told)


def _details(  # noqa: PLR0911 - one line for each kind
    step: Step, read: Definition, parents: Mapping[str, Callable[..., Evaluation]], given: Given
) -> dict[str, Any]:
    user, organization, plan, _ = given
    if step.name == "enabled":
        return {"enabled": read.enabled, "killed": read.killed}
    if step.decide is None:
        return {}
    if step.rule is not None:
        return _rule(step.rule, given) | _place(read, step.rule.below, step.rule.serve, given)
    if step.name == "prerequisites":
        return {"prerequisites": [
            {"flag": key, "variants": sorted(wanted), "found": parents[key](*given).variant if key in parents else None}
            for key, wanted in read.prerequisites
        ]}  # fmt: skip
    if step.name == "userOverride":
        return _override(read.by_user.get(user or ""))
    if step.name == "organizationOverride":
        return _override(read.by_organization.get(organization or ""))
    if step.name == "allowedPlans":
        return {"plan": plan, "allowedPlans": sorted(read.plans)}
    if step.name == "allowedUsers":
        return {"userId": user}
    return _place(read, read.below, None, given)


def _override(found: Override | None) -> dict[str, Any]:
    if found is None:
        return {}
    until = None if found.until is None else values.text(datetime.fromtimestamp(found.until, UTC))
    return {"override": found.serve, "expiresAt": until}


def _rule(rule: Rule, given: Given) -> dict[str, Any]:
    """Each condition with what was found and whether it holds: true, false, or null for unknown."""
    return {"conditions": [
        _condition(written, holds(*given), given)
        for written, holds in zip(rule.written, rule.conditions, strict=True)
    ]}  # fmt: skip


def _place(read: Definition, below: int, serve: str | Split | None, given: Given) -> dict[str, Any]:
    """Where the unit stands in the rollout and in the split; all of it in percent."""
    found: dict[str, Any] = {"rolloutPercentage": below * 100 / POSITIONS}
    what = serve or read.split or read.on
    is_split = not isinstance(what, str) and what[0][0] != POINTS
    if not is_split and below in {0, POSITIONS}:
        return found
    unit = unit_of(read.bucket_by)(*given)
    found |= {"bucketBy": read.bucket_by, "unit": unit}
    if unit:
        found["position"] = position(read.salt, unit) * 100 / POSITIONS
        if is_split:
            found["point"] = point(read.salt, unit) * 100 / POINTS
    return found


def _condition(written: Mapping[str, Any], holds: bool | None, given: Given) -> dict[str, Any]:  # noqa: FBT001 - an answer
    shown = {name: written[name] for name in ("attribute", "operator") if written.get(name) is not None}
    wanted = written.get("values") or []
    if wanted:
        shown["values"] = wanted[:_MOST_SHOWN]
    shown |= {name: True for name in ("inverted", "caseInsensitive") if written.get(name)}
    if "attribute" in shown:
        shown["found"] = _plain(reading(shown["attribute"], lambda value: value)(*given))
    return shown | {"holds": holds}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in list(value)[:_MOST_SHOWN]]
    return values.text(value) or f"({type(value).__name__})"
