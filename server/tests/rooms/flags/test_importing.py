"""Flags of other systems."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import make
import pytest
from rooms.flags.flagged import ALICE, is_on, place, state

from daytwo_server.flags.models import Flag, Override, Segment
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import importing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgetful():
    snapshots.forget()


@pytest.fixture
def here(db: None) -> Any:
    return place()


def read(here: Any, format_: str, data: Any, **more: Any) -> importing.Result:
    return importing.import_flags(here.project, here.name, format_, data, by=ALICE, **more)


def answer(here: Any, key: str, **context: Any) -> Any:
    return snapshots.ruleset(here.pk).evaluate(key, context)


# ---- The table of the reference ----


def test_rows_of_the_reference_mean_what_they_are_meant_to(here):
    rows = {
        "featureFlags": [
            {"name": "all", "enabled": True},
            {"name": "off", "enabled": False, "rolloutPercentage": 100},
            {"name": "pros", "enabled": True, "rolloutPercentage": 0, "allowedPlans": ["pro"], "allowedUsers": ["u1"]},
            {"id": 4, "name": "half", "enabled": True, "rolloutPercentage": 50, "createdAt": "2026-01-01"},
        ],
        "featureFlagOverrides": [
            {"flagName": "off", "userId": "u1", "enabled": True},
            {"flagName": "all", "organizationId": "o1", "enabled": False},
        ],
    }
    result = read(here, "reference", rows)
    assert (sorted(result.imported), result.unsupported) == (["all", "half", "off", "pros"], {})
    assert "not the same users" in result.notes["half"]
    assert is_on(here, "all", targetingKey="u2")
    assert not is_on(here, "all", targetingKey="u2", organizationId="o1")
    assert not is_on(here, "off", targetingKey="u1")  # an override never goes past the switch
    assert is_on(here, "pros", targetingKey="u1", plan="pro")
    assert not is_on(here, "pros", targetingKey="u1")  # a missing plan fails closed
    assert not is_on(here, "pros", targetingKey="u2", plan="pro")


def test_rows_in_snake_case_are_rows_too_and_what_is_strange_is_named(here):
    rows = [
        {"name": "a", "enabled": True, "rollout_percentage": None, "allowed_plans": None},
        {"name": "b", "enabled": True, "moonPhase": "full"},
        {"name": "c c", "enabled": True},
        {"name": "d", "enabled": True, "rolloutPercentage": 200},
        {"name": "e", "enabled": True, "overrides": [{"userId": "u", "organizationId": "o", "enabled": True}]},
    ]
    result = read(here, "reference", rows)
    assert result.imported == ["a"]
    assert sorted(result.unsupported) == ["b", "c c", "d", "e"]
    assert "moonPhase" in result.unsupported["b"]
    assert not Override.objects.exists()


@pytest.mark.parametrize("data", [{}, [], 5, {"flags": 3}, None, [1]])
@pytest.mark.parametrize("format_", importing.FORMATS)
def test_what_is_no_such_file_is_said_and_never_an_error_of_ours(here, format_, data):
    try:
        assert read(here, format_, data).imported == []
    except importing.Unreadable as problem:
        assert str(problem).startswith("This is no")


def test_a_dry_run_says_the_same_and_writes_nothing(here):
    rows = [{"name": "a", "enabled": True}, {"name": "b b", "enabled": True}]
    looked = read(here, "reference", rows, dry_run=True)
    assert not Flag.objects.exists()
    assert read(here, "reference", rows) == looked


# ---- Unleash ----

CONTEXTS = ("userId", "country", "age", "version", "sessionId", "appName", "environment", "remoteAddress")


def feature(name: str = "checkout", **fields: Any) -> dict[str, Any]:
    return {"name": name, "type": "release", "enabled": True, "strategies": [], **fields}


def strategy(name: str = "default", *constraints: Any, **parameters: str) -> dict[str, Any]:
    return {"name": name, "parameters": parameters, "constraints": list(constraints)}


def constraint(attribute: str, operator: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"contextName": attribute, "operator": operator, "values": list(values), **more}


def test_each_strategy_is_a_rule_and_a_rollout_alone_stays_one(here):
    data = {
        "features": [
            feature("plain"),
            feature("rolled", strategies=[strategy("flexibleRollout", rollout="25", groupId="g", stickiness="userId")]),
            feature(
                "two",
                strategies=[
                    strategy("userWithId", userIds="a, b"),
                    strategy("default", constraint("country", "NOT_IN", "SE")),
                ],
            ),
        ]
    }
    result = read(here, "unleash", data)
    assert (result.imported, result.unsupported) == (["plain", "rolled", "two"], {})
    assert (state(here, "rolled").rollout, state(here, "rolled").salt) == (25_000, "g")
    assert is_on(here, "plain")
    assert is_on(here, "two", targetingKey="a", country="SE")
    assert not is_on(here, "two", targetingKey="c", country="SE")
    assert is_on(here, "two", targetingKey="c")  # as there: who has no country is not in Sweden


def test_an_export_is_read_with_the_strategies_of_its_environment(here):
    data = {
        "features": [{"name": "checkout", "type": "kill-switch", "description": "Why"}],
        "featureEnvironments": [
            {"featureName": "checkout", "environment": "production", "enabled": True},
            {"featureName": "checkout", "environment": "development", "enabled": False},
        ],
        "featureStrategies": [
            {
                "featureName": "checkout",
                "environment": "production",
                **strategy("default", constraint("country", "IN", "SE")),
            },
            {"featureName": "checkout", "environment": "development", **strategy()},
        ],
        "segments": [],
    }
    assert read(here, "unleash", data).imported == ["checkout"]
    assert is_on(here, "checkout", country="SE")
    assert not is_on(here, "checkout", country="NO")
    assert Flag.objects.get().kind == "ops"
    mars = make.environment(here.project, "mars")
    with pytest.raises(importing.Unreadable, match="development, production and none called mars"):
        read(mars, "unleash", data)


def test_segments_and_dependencies_come_along(here):
    data = {
        "features": [
            feature("child", dependencies=[{"feature": "parent", "enabled": True}]),
            feature("orphan", dependencies=[{"feature": "gone"}]),
            feature("parent", strategies=[{**strategy(), "segments": [1]}]),
            feature("opposite", dependencies=[{"feature": "parent", "enabled": False}]),
        ],
        "segments": [{"id": 1, "name": "nordic", "constraints": [constraint("country", "IN", "SE", "NO")]}],
    }
    result = read(here, "unleash", data)
    assert result.unsupported == {"orphan": "it hangs on gone, which is not imported"}
    assert Segment.objects.get().name == "nordic"
    assert is_on(here, "child", country="SE")
    assert not is_on(here, "child", country="DE")
    assert is_on(here, "opposite", country="DE")
    assert not is_on(here, "opposite", country="SE")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strategies": [strategy("applicationHostname", hostNames="a")]}, "strategy applicationHostname"),
        ({"strategies": [strategy("flexibleRollout", rollout="5", stickiness="random")]}, "by chance"),
        ({"strategies": [strategy("gradualRolloutRandom", percentage="5")]}, "gradualRolloutRandom"),
        (
            {
                "strategies": [
                    strategy("flexibleRollout", rollout="5", groupId="a", stickiness="userId"),
                    strategy("flexibleRollout", rollout="5", groupId="b", stickiness="userId"),
                ]
            },
            r"several groups \(a, b\)",
        ),
        ({"strategies": [{**strategy(), "segments": [7]}]}, "segment 7"),
        ({"strategies": [strategy("default", constraint("a", "SOUNDS_LIKE", "b"))]}, "SOUNDS_LIKE"),
        (
            {"strategies": [{**strategy(), "variants": [{"name": "a", "weight": 1000}]}, strategy()]},
            "serves variants and another none",
        ),
        ({"variants": [{"name": "a", "weight": 500}]}, "1000"),
        ({"variants": [{"name": "a", "weight": 1000, "overrides": [{"contextName": "userId"}]}]}, "overrides"),
        ({"archived": True}, "archived"),
        ({"name": "a/b"}, "no key"),
    ],
)
def test_what_unleash_says_and_ours_cannot_is_named(here, changes, words):
    result = read(here, "unleash", {"features": [feature(**changes)]})
    assert result.imported == []
    [reason] = result.unsupported.values()
    assert re.search(words, reason)


def test_stock_unleash_and_what_was_imported_from_it_agree(here):
    """Random definitions, asked with random contexts: with a userId, as else Unleash goes by chance."""
    engine_of = pytest.importorskip("yggdrasil_engine.engine").UnleashEngine
    dice = random.Random(7)
    features = [_random_feature(dice, number) for number in range(150)]
    result = read(here, "unleash", {"version": 2, "features": features, "segments": SEGMENTS})
    assert result.unsupported == {}
    engine = engine_of()
    engine.take_state(json.dumps({"version": 2, "features": features, "segments": SEGMENTS}))
    rules, seen = snapshots.ruleset(here.pk), set()
    for _ in range(3000):
        context = _random_context(dice)
        key = dice.choice(features)["name"]
        ours = rules.evaluate(
            key, {name: value for name, value in context.items() if name != "properties"} | context["properties"]
        )
        theirs = engine.is_enabled(key, context).is_enabled
        assert ours.enabled is theirs, (key, context)
        variant = engine.get_variant(key, context).variant
        if theirs and ours.type == "string":
            assert ours.variant == variant.name, (key, context)
        seen.add((theirs, ours.variant))
    assert {(True, "on"), (False, "off"), (True, "red"), (True, "blue"), (False, "disabled")} <= seen


SEGMENTS = [
    {"id": 1, "name": "nordic", "constraints": [constraint("country", "IN", "SE", "NO")]},
    {
        "id": 2,
        "name": "elsewhere",
        "constraints": [constraint("country", "NOT_IN", "SE"), constraint("age", "NUM_GT", value="30")],
    },
]


def _random_feature(dice: random.Random, number: int) -> dict[str, Any]:
    name = f"f{number}"
    made = feature(
        name, enabled=dice.random() < 0.9, strategies=[_random_strategy(dice, name) for _ in range(dice.randint(0, 3))]
    )
    if dice.random() < 0.4:
        made["variants"] = [
            {"name": "red", "weight": 333, "stickiness": "userId", "payload": {"type": "string", "value": "#f00"}},
            {"name": "blue", "weight": 667, "stickiness": "userId"},
        ]
    return made


def _random_strategy(dice: random.Random, group: str) -> dict[str, Any]:
    kind = dice.choice(
        ["default", "flexibleRollout", "flexibleRollout", "userWithId", "remoteAddress", "gradualRolloutUserId"]
    )
    made = strategy(kind, *(_random_constraint(dice) for _ in range(dice.randint(0, 2))))
    made["parameters"] = {
        "flexibleRollout": {"rollout": str(dice.choice([0, 10, 50, 100])), "groupId": group, "stickiness": "userId"},
        "userWithId": {"userIds": "u1, u2,u3"},
        "remoteAddress": {"IPs": "10.0.0.0/8, 192.0.2.1"},
        "gradualRolloutUserId": {"percentage": "30", "groupId": group},
    }.get(kind, {})
    if dice.random() < 0.2:
        made["segments"] = [dice.choice([1, 2])]
    return made


def _random_constraint(dice: random.Random) -> dict[str, Any]:
    found = dice.choice([
        constraint("country", "IN", "SE", "DE"), constraint("country", "NOT_IN", "SE"), constraint("country", "IN"),
        constraint("country", "NOT_IN"), constraint("country", "STR_STARTS_WITH", "s", caseInsensitive=True),
        constraint("age", "NUM_GTE", value="18"), constraint("age", "NUM_LT", value="65"),
        constraint("version", "SEMVER_GT", value="1.2.0"), constraint("appName", "STR_CONTAINS", "shop"),
    ])  # fmt: skip
    return {**found, "inverted": dice.random() < 0.3}


def _random_context(dice: random.Random) -> dict[str, Any]:
    context: dict[str, Any] = {"userId": f"u{dice.randint(0, 40)}", "properties": {}}
    if dice.random() < 0.7:
        context["remoteAddress"] = dice.choice(["10.1.2.3", "192.0.2.1", "203.0.113.5"])
    if dice.random() < 0.5:
        context["appName"] = dice.choice(["shop-web", "billing"])
    for name, values in (("country", ["SE", "DE", "US"]), ("age", ["12", "30", "80"]), ("version", ["1.2.0", "1.3.1"])):
        if dice.random() < 0.7:
            context["properties"][name] = dice.choice(values)
    return context


# ---- flagd ----


def test_flagd_targeting_becomes_rules_in_its_order(here):
    data = {
        "$evaluators": {"nordic": {"in": [{"var": "country"}, ["SE", "NO"]]}},
        "flags": {
            "colour": {
                "state": "ENABLED",
                "variants": {"red": "#f00", "blue": "#00f", "green": "#0f0"},
                "defaultVariant": "red",
                "targeting": {
                    "if": [
                        {"and": [{"$ref": "nordic"}, {"!": [{"ends_with": [{"var": "email"}, "@test.io"]}]}]}, "blue",
                        {"or": [{">=": [{"var": "age"}, 65]}, {"sem_ver": [{"var": "app"}, ">=", "2.0.0"]}]}, "green",
                    ]
                },
            },
            "dark": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"},
            "gone": {"state": "DISABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"},
        },
    }  # fmt: skip
    result = read(here, "flagd", data)
    assert (result.imported, result.unsupported) == (["colour", "dark", "gone"], {})
    assert "code's default" in result.notes["gone"]
    assert answer(here, "colour", country="SE", email="a@b.io").value == "#00f"
    assert answer(here, "colour", country="SE").value == "#00f"
    assert answer(here, "colour", country="SE", email="a@test.io").value == "#f00"
    assert answer(here, "colour", country="US", age=70).value == "#0f0"
    assert answer(here, "colour", app="2.1.0").value == "#0f0"
    assert answer(here, "colour").value == "#f00"
    assert not is_on(here, "dark")
    assert not is_on(here, "gone")


def test_fractions_of_flagd_are_a_split_of_the_same_shares_and_said_to_move(here):
    data = {
        "flags": {
            "split": {
                "variants": {"a": 1, "b": 2}, "defaultVariant": "a",
                "targeting": {"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]}, ["a", 1], ["b", 3]]},
            },
            "thirds": {
                "variants": {"a": 1, "b": 2, "c": 3}, "defaultVariant": "a",
                "targeting": {"fractional": [["a", 1], ["b", 1], ["c", 1]]},
            },
        }
    }  # fmt: skip
    result = read(here, "flagd", data)
    assert result.imported == ["split"]
    assert "not to the same users" in result.notes["split"]
    assert "no percentage with one decimal" in result.unsupported["thirds"]
    assert state(here, "split").definition["split"] == [
        {"variant": "a", "weight": 25.0},
        {"variant": "b", "weight": 75.0},
    ]
    assert state(here, "split").definition["bucketBy"] == "email"
    served = [answer(here, "split", email=f"u{number}@b.io").value for number in range(2000)]
    assert 0.70 < served.count(2) / 2000 < 0.80


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ({"variants": {"a": 1, "b": "x"}, "defaultVariant": "a"}, "several types"),
        ({"variants": {"a": 1}}, "no default variant"),
        ({"variants": {"on": True}, "defaultVariant": "on"}, "none of its variants is false"),
        ({"variants": {"a": 1}, "defaultVariant": "a", "targeting": {"if": [{"var": "x"}, "a"]}}, "nothing here is like"),
        ({"variants": {"a": 1}, "defaultVariant": "a", "targeting": {"if": [True, "z"]}}, "none of its variants"),
        (
            {"variants": {"a": 1}, "defaultVariant": "a", "targeting": {"if": [{"==": [{"var": "a.b"}, 1]}, "a"]}},
            "within another",
        ),
        ({"variants": {"a": 1}, "defaultVariant": "a", "targeting": {"$ref": "x"}}, "no evaluator"),
    ],
)  # fmt: skip
def test_what_flagd_says_and_ours_cannot_is_named(here, flag, words):
    result = read(here, "flagd", {"flags": {"a": flag}})
    assert result.imported == []
    assert words in result.unsupported["a"]
