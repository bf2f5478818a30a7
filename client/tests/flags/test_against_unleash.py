"""The same flags in Unleash's own client: whole percents, plans and splits fall the same way."""

import random

import pytest

pytest.importorskip("UnleashClient", reason="UnleashClient is not installed")

from flag_server import flag, snapshot  # noqa: E402 - after the question whether it is there
from UnleashClient import UnleashClient  # noqa: E402
from UnleashClient.cache import FileCache  # noqa: E402

from daytwo.flags import Ruleset  # noqa: E402

PLANS = ["free", "pro", "team", "enterprise"]


def pair(dice, number):
    """One flag as Daytwo has it, and as Unleash has it."""
    key, percentage = f"flag-{number}", dice.choice([0, 1, 5, 10, 25, 50, 75, 99, 100])
    plans = dice.sample(PLANS, k=dice.randrange(1, 4))
    cut = dice.randrange(1, 100)
    ours = flag(
        key, type="string", variants=[{"name": name, "value": name} for name in ("a", "b", "off")], offVariant="off",
        defaultVariant="a", allowedPlans=plans, rolloutPercentage=percentage, enabled=dice.random() < 0.9,
        split=[{"variant": "a", "weight": cut}, {"variant": "b", "weight": 100 - cut}],
    )  # fmt: skip
    weights = [("a", cut), ("b", 100 - cut)]
    strategy = {
        "name": "flexibleRollout",
        "parameters": {"rollout": str(percentage), "stickiness": "userId", "groupId": key},
        "constraints": [{"contextName": "plan", "operator": "IN", "values": plans}],
        "variants": [
            {"name": name, "weight": weight * 10, "stickiness": "userId", "payload": {"type": "string", "value": name}}
            for name, weight in weights
        ],
    }
    return ours, {"name": key, "type": "release", "enabled": ours["enabled"], "strategies": [strategy]}


def test_ten_thousand_random_answers_agree(tmp_path):
    dice = random.Random(17)
    pairs = [pair(dice, number) for number in range(100)]
    cache = FileCache("test", directory=str(tmp_path))
    cache.bootstrap_from_dict({"version": 2, "features": [theirs for _, theirs in pairs]})
    unleash = UnleashClient(
        "http://127.0.0.1:9/api", "test", cache=cache, disable_metrics=True, disable_registration=True
    )
    unleash.initialize_client(fetch_toggles=False)
    ruleset = Ruleset(snapshot(*(ours for ours, _ in pairs)))
    seen = set()
    try:
        for _ in range(10_000):
            key, user, plan = f"flag-{dice.randrange(100)}", f"user_{dice.randrange(10**6)}", dice.choice(PLANS)
            ours = ruleset.evaluate(key, {"targetingKey": user, "plan": plan})
            theirs = unleash.get_variant(key, {"userId": user, "properties": {"plan": plan}})
            assert (ours.enabled, ours.variant) == (
                theirs["feature_enabled"],
                theirs["name"] if theirs["enabled"] else "off",
            ), (key, user, plan)
            seen.add(ours.variant)
    finally:
        unleash.destroy()
    assert seen == {"a", "b", "off"}
