"""Whom a rollout reaches, in customers and organizations: found by evaluating it for those that Daytwo knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daytwo.flags import Ruleset
from daytwo.flags.bucketing import POSITIONS, position
from daytwo.flags.ruleset import FORMAT
from daytwo_server.customers.models import Customer, Organization

SAMPLE = 4000  # customers who are asked about; of more, those who were seen last
_PERCENT = POSITIONS // 100
_NOBODY = POSITIONS  # below no percentage


@dataclass(frozen=True)
class Reach:
    """Of `total` customers and `organizations` how many have it at 0, 1 ... 100 percent (`curve`, `curve_of`).

    An estimate when only some were asked about (`sampled` of them): then the curves are scaled to the whole.
    """

    total: int
    sampled: int
    organizations: int
    curve: list[int]
    curve_of: list[int]

    @property
    def is_estimate(self) -> bool:
        return self.sampled < self.total

    def at(self, percentage: float) -> tuple[int, int]:
        """Customers and organizations at a percentage; between two whole ones it is drawn as a line."""
        return _between(self.curve, percentage), _between(self.curve_of, percentage)


def reach(rules: Ruleset, key: str) -> Reach:
    """What each percentage of a flag's rollout means, as if it were on: plans, rules, overrides and prerequisites
    count, attributes that only an app knows are missing. `rules` are the environment's. Three queries.
    """
    known = Customer.objects.filter(key__startswith="id:", erased_at=None)
    total, organizations = known.count(), Organization.objects.count()
    sample = list(
        known.order_by("-last_seen", "-pk").values_list(
            "key", "plan", "organization__external_id", "organization__plan"
        )[:SAMPLE]
    )
    thresholds = _thresholds(rules, key, sample)
    of_organizations: dict[str, int] = {}
    for (_, _, organization, _), threshold in zip(sample, thresholds, strict=True):
        if organization:
            of_organizations[organization] = min(threshold, of_organizations.get(organization, _NOBODY))
    scale = total / len(sample) if sample else 1
    # An organization of which only some members were asked about is known all the same, so that it is counted, and the
    # others are taken to be like those.
    scale_of = organizations / len(of_organizations) if of_organizations and len(sample) < total else 1
    seen = organizations if len(sample) < total else len(of_organizations)
    return Reach(
        total=total,
        sampled=len(sample),
        organizations=seen,
        curve=[round(n * scale) for n in _cumulated(thresholds)],
        curve_of=[round(n * scale_of) for n in _cumulated(of_organizations.values())],
    )


def _thresholds(rules: Ruleset, key: str, sample: Sequence[tuple[str, str, str | None, str | None]]) -> list[int]:
    """For each, from which position of the rollout on they have it: 0 for always, `_NOBODY` for never."""
    written = rules.written.get(key)
    if written is None or key in rules.broken:
        return [_NOBODY for _ in sample]
    lowest, highest = (_as_if(rules, written, percentage) for percentage in (0, 100))
    salt, bucket_by = written.get("salt") or key, written.get("bucketBy")
    found = []
    for customer, plan, organization, plan_of in sample:
        user = customer.removeprefix("id:")
        asked = {"userId": user, "organizationId": organization, "plan": plan or plan_of or None}
        if lowest.evaluate(key, asked).enabled:
            found.append(0)
        elif highest.evaluate(key, asked).enabled:
            unit = organization if bucket_by == "organizationId" else user
            counted = unit if bucket_by in (None, "", "userId", "organizationId") else None
            found.append(position(salt, counted) if counted else _NOBODY)
        else:
            found.append(_NOBODY)
    return found


def _as_if(rules: Ruleset, written: Mapping[str, Any], percentage: int) -> Ruleset:
    """The flag as if it were on with that rollout, beside those it hangs on."""
    as_if = {**written, "enabled": True, "killed": False, "rolloutPercentage": percentage}
    flags = [as_if, *_parents(rules.written, written)]
    return Ruleset({"format": FORMAT, "segments": rules.segments_written, "flags": flags})


def _parents(flags: Mapping[str, Mapping[str, Any]], written: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [written]
    while waiting:
        for one in waiting.pop().get("prerequisites") or []:
            parent = flags.get(one["flag"])
            if parent is not None and parent["key"] not in found and parent["key"] != written["key"]:
                found[parent["key"]] = parent
                waiting.append(parent)
    return list(found.values())


def _cumulated(thresholds: Iterable[int]) -> list[int]:
    """How many are in at 0, 1 ... 100 percent. Who always has it is in at 0."""
    steps = [0] * 102
    for threshold in thresholds:
        # In at p percent is whose position is below p * 1000; 0 stands for always as well, which is one in 100,000.
        steps[0 if threshold == 0 else 101 if threshold == _NOBODY else threshold // _PERCENT + 1] += 1
    total, found = 0, []
    for n in steps[:101]:
        total += n
        found.append(total)
    return found


def _between(curve: list[int], percentage: float) -> int:
    low = min(100, max(0, int(percentage)))
    high = min(100, low + 1)
    return round(curve[low] + (curve[high] - curve[low]) * (percentage - low))
