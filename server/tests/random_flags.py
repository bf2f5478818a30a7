"""Random flags and contexts, of everything that can be said to Unleash's clients too: whole percents, and no patterns."""

from __future__ import annotations

import random
from typing import Any

PLANS = ["free", "pro", "team", "enterprise"]
COUNTRIES = ["SE", "NO", "DE", "FR", "US"]
VERSIONS = ["1.4.0", "1.4.0-rc.1", "2.0.0", "10.2.1", "0.9.9"]
USERS = [f"user_{number}" for number in range(40)]
ORGANIZATIONS = [f"org_{number}" for number in range(12)]
PERCENTS = [0, 1, 5, 10, 25, 50, 75, 99, 100, None]
SEGMENTS = {
    "nordic": {"conditions": [{"attribute": "country", "operator": "in", "values": ["SE", "NO"]}]},
    "grown": {
        "conditions": [
            {"attribute": "seats", "operator": "num_gte", "values": [10]},
            {"attribute": "email", "operator": "str_ends_with", "values": ["@shop.example"], "inverted": True},
        ]
    },
}


def context(dice: random.Random) -> dict[str, Any]:
    """As OFREP has it; each attribute may be missing."""
    found = {
        "targetingKey": dice.choice([*USERS, f"user_{dice.randrange(10**6)}"]),
        "organizationId": dice.choice(ORGANIZATIONS), "plan": dice.choice(PLANS), "country": dice.choice(COUNTRIES),
        "email": dice.choice(["dana@shop.example", "bo@other.example", "DANA@SHOP.EXAMPLE"]),
        "seats": dice.choice(["1", "10", "99", "many"]), "version": dice.choice([*VERSIONS, "no version"]),
    }  # fmt: skip
    return {name: value for name, value in found.items() if dice.random() < 0.85}


def flags(dice: random.Random, count: int) -> list[dict[str, Any]]:
    """Each with what it happens to have; some hang on others that hang on nothing."""
    found = [flag(dice, f"flag-{number}") for number in range(count)]
    for one in found[count // 2 :]:
        if dice.random() < 0.3:
            parent = dice.choice(found[: count // 2])
            names = [variant["name"] for variant in parent.get("variants", [{"name": "on"}, {"name": "off"}])]
            one["prerequisites"] = [{"flag": parent["key"], "variants": dice.choice([[], [dice.choice(names)]])}]
    return found


def flag(dice: random.Random, key: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "key": key, "revision": dice.randrange(1, 99), "enabled": dice.random() < 0.92, "killed": dice.random() < 0.05,
        "salt": dice.choice([key, f"{key}-2"]), "rolloutPercentage": dice.choice(PERCENTS),
        "bucketBy": dice.choice([None, None, "userId", "organizationId", "country"]),
    }  # fmt: skip
    others = ["on"]
    if dice.random() < 0.5:
        others = ["a", "b", "c"]
        made |= {"type": "string", "offVariant": "off", "defaultVariant": "a"}
        made["variants"] = [{"name": name, "value": f"value of {name}"} for name in [*others, "off"]]
        if dice.random() < 0.5:
            made["split"] = split(dice, others)
    if dice.random() < 0.3:
        made["allowedPlans"] = dice.sample(PLANS, k=dice.randrange(1, 4))
    if dice.random() < 0.3:
        made["allowedUsers"] = dice.sample(USERS, k=3)
    made["rules"] = [rule(dice, others) for _ in range(dice.choice([0, 0, 1, 2, 3]))]
    made["overrides"] = overrides(dice, others)
    return made


def split(dice: random.Random, names: list[str]) -> list[dict[str, Any]]:
    """Weights with a decimal that add up to 100."""
    points = sorted(dice.sample(range(1, 1000), k=len(names) - 1))
    ends = [0, *points, 1000]
    return [
        {"variant": name, "weight": (end - before) / 10}
        for name, before, end in zip(names, ends[:-1], ends[1:], strict=True)
    ]


def rule(dice: random.Random, names: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"conditions": [condition(dice) for _ in range(dice.choice([0, 1, 1, 2]))]}
    made["rolloutPercentage"] = dice.choice([*PERCENTS, None, None])
    served = dice.random()
    if served < 0.2:
        made |= {"variant": "off", "rolloutPercentage": None}
    elif served < 0.6:
        made["variant"] = dice.choice(names)
    elif served < 0.8 and len(names) > 1:
        made["split"] = split(dice, names)
    return made


def condition(dice: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = dice.choice([
        {"attribute": "country", "operator": dice.choice(["in", "not_in"]), "values": dice.sample(COUNTRIES, k=2)},
        {"attribute": "plan", "operator": "in", "values": dice.sample(PLANS, k=2)},
        {"attribute": "email", "operator": dice.choice(["str_contains", "str_starts_with", "str_ends_with"]),
         "values": ["@shop", "dana", ".example"], "caseInsensitive": dice.random() < 0.5},
        {"attribute": "seats", "operator": f"num_{dice.choice(['eq', 'gt', 'gte', 'lt', 'lte'])}", "values": [10, 50]},
        {"attribute": "version", "operator": f"semver_{dice.choice(['eq', 'gt', 'gte', 'lt', 'lte'])}",
         "values": dice.sample(VERSIONS, k=2)},
        {"attribute": "currentTime", "operator": dice.choice(["date_before", "date_after"]),
         "values": [dice.choice(["2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"])]},
        {"attribute": dice.choice(["userId", "organizationId", "country"]), "operator": dice.choice(["is_set", "is_not_set"])},
        {"operator": "segment", "values": dice.sample(sorted(SEGMENTS), k=dice.choice([1, 2]))},
    ])  # fmt: skip
    return {**made, "inverted": True} if dice.random() < 0.25 else made


def overrides(dice: random.Random, names: list[str]) -> list[dict[str, Any]]:
    found = []
    for name, known in (("userId", USERS), ("organizationId", ORGANIZATIONS)):
        for whose in dice.sample(known, k=dice.choice([0, 0, 2, 5])):
            says = dice.choice([{"enabled": True}, {"enabled": False}, {"variant": dice.choice(names)}])
            ends = dice.choice([{}, {}, {"expiresAt": "2090-01-01T00:00:00Z"}, {"expiresAt": "2020-01-01T00:00:00Z"}])
            found.append({name: whose, **says, **ends})
    return found
