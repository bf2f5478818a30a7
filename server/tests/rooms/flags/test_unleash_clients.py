"""Unleash's own client, fed by us, beside our evaluator: the same flags, the same people, the same answers."""

from __future__ import annotations

import random
from collections import Counter

import pytest

pytest.importorskip("UnleashClient", reason="UnleashClient is not installed")

import random_flags  # noqa: E402 - after the question whether it is there
from doors import SERVER_KEY, running, until  # noqa: E402
from flag_server import flag  # noqa: E402
from UnleashClient import UnleashClient  # noqa: E402
from UnleashClient.cache import FileCache  # noqa: E402

from daytwo.flags import Ruleset  # noqa: E402


@pytest.fixture
def connect(tmp_path):
    """A client of the released distribution that has fetched its definitions, the only way into it."""
    made = []

    def build(doors, **options):
        client = UnleashClient(
            f"{doors.url}/unleash/api", "billing", custom_headers={"Authorization": SERVER_KEY},
            cache=FileCache(f"test{len(made)}", directory=str(tmp_path)), refresh_interval=1, metrics_interval=1, **options,
        )  # fmt: skip
        made.append(client)
        client.initialize_client()
        return client

    yield build
    for client in made:
        client.destroy()


def theirs(context):
    """A context as Unleash's clients take it: ours under `properties`."""
    known = {"targetingKey": "userId"}
    top = {known[name]: value for name, value in context.items() if name in known}
    return {**top, "properties": {name: value for name, value in context.items() if name not in known}}


def test_ten_thousand_random_answers_agree(connect):
    dice = random.Random(2611)
    flags = random_flags.flags(dice, 200)
    ruleset = Ruleset({"format": 1, "flags": flags, "segments": random_flags.SEGMENTS})
    seen: Counter = Counter()
    with running(*flags, segments=random_flags.SEGMENTS) as doors:
        known = {one["name"] for one in doors.ask("/unleash/api/client/features").json()["features"]}
        client = connect(doors, disable_metrics=True, disable_registration=True)
        asked = 0
        while asked < 10_000:
            key, context = dice.choice(flags)["key"], random_flags.context(dice)
            if key not in known:
                continue
            asked += 1
            ours = ruleset.evaluate(key, context)
            if ruleset.written[key].get("type") == "string":
                found = client.get_variant(key, theirs(context))
                said = (found["feature_enabled"], found["name"] if found["enabled"] else "off")
            else:
                said = (on := client.is_enabled(key, theirs(context)), "on" if on else "off")
            assert said == (ours.enabled, ours.variant), (key, context, ruleset.written[key])
            seen[ours.variant, ours.source] += 1
    assert not ruleset.broken
    assert len(known) > 150
    assert {source for _, source in seen} >= {
        "disabled", "killed", "prerequisite", "user_override", "org_override", "gate:plan", "allowed_users", "rule",
        "rollout", "default",
    }  # fmt: skip
    assert {variant for variant, _ in seen} == {"on", "off", "a", "b", "c"}


def test_it_hears_of_changes_and_its_counts_arrive(connect):
    with running(flag(), flag("other")) as doors:
        client = connect(doors)
        assert client.is_enabled("new-checkout") is True
        doors.put(flag(killed=True), flag("other"))
        until(lambda: client.is_enabled("new-checkout") is False)
        until(lambda: doors.counted()["new-checkout", "off", False] >= 1)
        assert doors.counted()["new-checkout", "on", True] >= 1
        assert {batch.service for batch in doors.batches} == {"billing"}
