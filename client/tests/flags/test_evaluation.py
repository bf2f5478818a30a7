"""What somebody gets, in the order of docs/reference/flag-snapshot.md."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from flag_server import flag, snapshot

from daytwo.flags import Invalid, Ruleset
from daytwo.flags.bucketing import point, position

COLOURS = {
    "type": "string", "variants": [{"name": name, "value": name.upper()} for name in ("red", "blue", "none")],
    "defaultVariant": "red", "offVariant": "none",
}  # fmt: skip
SPLIT = [{"variant": "red", "weight": 33.3}, {"variant": "blue", "weight": 66.7}]


def ask(*flags, key="new-checkout", segments=None, **context):
    return Ruleset(snapshot(*flags, segments=segments or {})).evaluate(key, context)


def gets(*flags, **more):
    found = ask(*flags, **more)
    return found.variant, found.reason, found.source


def when(attribute, operator, *values, **more):
    return {"attribute": attribute, "operator": operator, "values": list(values), **more}


def in_at(salt, percent, *, inside):
    return next(f"u{n}" for n in range(10_000) if (position(salt, f"u{n}") < percent * 1000) is inside)


# ---- Off for everybody ----


def test_a_flag_that_is_on_and_asks_nothing_is_on_for_everybody():
    assert gets(flag()) == ("on", "STATIC", "default")


def test_a_flag_that_is_not_enabled_is_off():
    assert gets(flag(enabled=False), targetingKey="u1") == ("off", "DISABLED", "disabled")


def test_no_override_gets_past_the_kill_switch():
    killed = flag(killed=True, overrides=[{"userId": "u1", "enabled": True}], allowedUsers=["u1"])
    assert gets(killed, targetingKey="u1") == ("off", "DISABLED", "killed")


def test_an_unknown_flag_has_an_error_and_no_variant():
    found = ask(flag(), key="nothing")
    assert (found.variant, found.error, found.enabled) == (None, "FLAG_NOT_FOUND", False)


# ---- Prerequisites ----


def test_a_flag_hangs_on_others():
    child = flag(prerequisites=[{"flag": "cart"}])
    assert gets(child, flag("cart")) == ("on", "TARGETING_MATCH", "default")
    found = ask(child, flag("cart", enabled=False), targetingKey="u1")
    assert (found.variant, found.reason, found.prerequisite) == ("off", "DISABLED", "cart")


def test_a_killed_parent_beats_an_override():
    child = flag(prerequisites=[{"flag": "cart"}], overrides=[{"userId": "u1", "enabled": True}])
    assert gets(child, flag("cart", killed=True), targetingKey="u1")[0] == "off"


def test_a_prerequisite_may_ask_for_variants():
    parent = {"key": "cart", "enabled": True, "revision": 1, **COLOURS, "defaultVariant": "blue"}
    assert gets(flag(prerequisites=[{"flag": "cart", "variants": ["blue", "red"]}]), parent)[0] == "on"
    assert gets(flag(prerequisites=[{"flag": "cart", "variants": ["red"]}]), parent)[0] == "off"
    assert gets(flag(prerequisites=[{"flag": "cart", "variants": ["none"]}]), parent | {"enabled": False})[0] == "on"


def test_a_parent_is_asked_for_the_same_person():
    child, parent = flag(prerequisites=[{"flag": "cart"}]), flag("cart", rolloutPercentage=50)
    assert gets(child, parent, targetingKey=in_at("cart", 50, inside=True))[0] == "on"
    assert gets(child, parent, targetingKey=in_at("cart", 50, inside=False))[0] == "off"


@pytest.mark.parametrize(
    "flags",
    [
        [flag(prerequisites=[{"flag": "new-checkout"}])],
        [flag(prerequisites=[{"flag": "cart"}]), flag("cart", prerequisites=[{"flag": "new-checkout"}])],
        [flag(prerequisites=[{"flag": "cart", "variants": ["off"]}]), flag("cart", prerequisites=[{"flag": "cart"}])],
        [flag(prerequisites=[{"flag": "nowhere"}])],
        [flag(prerequisites=[{"flag": "cart"}]), flag("cart", offVariant="nonsense")],
    ],
    ids=["itself", "two in a circle", "behind a circle", "missing", "broken"],
)
def test_a_prerequisite_that_cannot_be_met_is_not(flags):
    assert gets(*flags, targetingKey="u1") == ("off", "DISABLED", "prerequisite")


def test_ten_thousand_flags_in_a_row_exhaust_nothing():
    flags = [flag(f"f{n}", prerequisites=[{"flag": f"f{n + 1}"}]) for n in range(10_000)]
    ruleset = Ruleset(snapshot(*flags, flag("f10000")))
    assert ruleset.evaluate("f9990", {}).variant == "on"
    assert ruleset.evaluate("f0", {}).variant == "off"


# ---- Overrides ----


def test_an_override_of_the_user_wins_over_that_of_the_organization_and_both_over_the_plan():
    given = flag(
        allowedPlans=["pro"], rolloutPercentage=0,
        overrides=[{"userId": "u1", "enabled": False}, {"organizationId": "o1", "enabled": True}],
    )  # fmt: skip
    assert gets(given, targetingKey="u1", organizationId="o1") == ("off", "TARGETING_MATCH", "user_override")
    assert gets(given, targetingKey="u2", organizationId="o1") == ("on", "TARGETING_MATCH", "org_override")
    assert gets(given, targetingKey="u2", organizationId="o2") == ("off", "TARGETING_MATCH", "gate:plan")


def test_an_override_may_name_a_variant():
    given = flag(**COLOURS, overrides=[{"userId": "u1", "variant": "blue"}])
    assert ask(given, targetingKey="u1").value == "BLUE"


def test_an_override_ends_when_it_says_so():
    soon = datetime.now(UTC) + timedelta(seconds=0.4)
    ruleset = Ruleset(snapshot(flag(enabled=True, rolloutPercentage=0, overrides=[
        {"userId": "u1", "enabled": True, "expiresAt": soon.isoformat()},
        {"userId": "u2", "enabled": True, "expiresAt": "2020-01-01T00:00:00Z"},
    ])))  # fmt: skip
    assert [ruleset.evaluate("new-checkout", {"targetingKey": one}).enabled for one in ("u1", "u2")] == [True, False]
    time.sleep(0.5)
    assert ruleset.evaluate("new-checkout", {"targetingKey": "u1"}).enabled is False


# ---- Plans and users ----


def test_a_missing_plan_fails_closed():
    given = flag(allowedPlans=["pro", "enterprise"])
    assert gets(given, targetingKey="u1") == ("off", "TARGETING_MATCH", "gate:plan")
    assert gets(given, plan="free")[0] == "off"
    assert gets(given, plan="pro") == ("on", "TARGETING_MATCH", "default")


def test_allowed_users_have_it_without_the_rollout_but_not_without_the_plan():
    given = flag(allowedUsers=["u1", 7], allowedPlans=["pro"], rolloutPercentage=0)
    assert gets(given, targetingKey="u1", plan="pro") == ("on", "TARGETING_MATCH", "allowed_users")
    assert gets(given, targetingKey="7", plan="pro")[0] == "on"
    assert gets(given, targetingKey="u1", plan="free")[0] == "off"
    assert gets(given, targetingKey="u2", plan="pro") == ("off", "TARGETING_MATCH", "rollout")


# ---- Rollout ----


def test_a_rollout_takes_those_whose_position_is_below_it():
    ruleset = Ruleset(snapshot(flag(rolloutPercentage=17.42, salt="s")))
    for number in range(2000):
        found = ruleset.evaluate("new-checkout", {"targetingKey": f"u{number}"})
        assert found.enabled is (position("s", f"u{number}") < 17_420)
        assert (found.reason, found.source) == ("SPLIT", "rollout")


def test_raising_a_percentage_only_ever_adds_people():
    users = [f"user_{number}" for number in range(3000)]
    before: set[str] = set()
    for percentage in [0, 0.001, 0.1, 1, 2.5, 5, 10, 25, 33.333, 50, 75, 99.999, 100, None]:
        ruleset = Ruleset(snapshot(flag(rolloutPercentage=percentage)))
        now = {one for one in users if ruleset.evaluate("new-checkout", {"targetingKey": one}).enabled}
        assert before <= now
        before = now
    assert before == set(users)


def test_none_and_all_need_nobody():
    assert gets(flag(rolloutPercentage=0)) == ("off", "STATIC", "rollout")
    assert gets(flag(rolloutPercentage=100)) == gets(flag(rolloutPercentage=None)) == ("on", "STATIC", "default")


@pytest.mark.parametrize("context", [{}, {"targetingKey": None}, {"targetingKey": ""}, {"targetingKey": object()}])
def test_without_anybody_a_rollout_is_off_and_says_so(context):
    found = ask(flag(rolloutPercentage=99), **context)
    assert (found.variant, found.reason, found.error) == ("off", "ERROR", "TARGETING_KEY_MISSING")


def test_without_a_user_the_organization_is_the_unit():
    ruleset = Ruleset(snapshot(flag(rolloutPercentage=50)))
    for number in range(200):
        organization = f"o{number}"
        found = ruleset.evaluate("new-checkout", {"organizationId": organization})
        assert found.enabled is (position("new-checkout", organization) < 50_000)


@pytest.mark.parametrize(
    ("bucket_by", "unit"),
    [("userId", "u1"), ("organizationId", "o1"), ("device", "d1"), ("number", "7"), (None, "u1"), ("plan", "pro")],
)
def test_it_may_be_said_what_counts_as_one(bucket_by, unit):
    context = {"targetingKey": "u1", "organizationId": "o1", "device": "d1", "number": 7, "plan": "pro"}
    below = position("new-checkout", unit) / 1000
    assert ask(flag(bucketBy=bucket_by, rolloutPercentage=below + 0.001), **context).enabled
    assert not ask(flag(bucketBy=bucket_by, rolloutPercentage=below), **context).enabled
    nobody = {name: value for name, value in context.items() if name not in {bucket_by, "targetingKey"}}
    if bucket_by is not None and bucket_by != "organizationId":
        assert ask(flag(bucketBy=bucket_by, rolloutPercentage=50), **nobody).error == "TARGETING_KEY_MISSING"


def test_users_of_one_organization_get_the_same():
    ruleset = Ruleset(snapshot(flag(bucketBy="organizationId", rolloutPercentage=50)))
    for organization in ("o1", "o2", "o3", "o4"):
        answers = {
            ruleset.evaluate("new-checkout", {"targetingKey": f"u{n}", "organizationId": organization}).enabled
            for n in range(50)
        }
        assert len(answers) == 1


# ---- Splits ----


def test_a_split_gives_each_variant_its_weight():
    ruleset = Ruleset(snapshot(flag(**COLOURS, split=SPLIT)))
    for number in range(1000):
        found = ruleset.evaluate("new-checkout", {"targetingKey": f"u{number}"})
        assert found.variant == ("red" if point("new-checkout", f"u{number}") < 333 else "blue")
        assert (found.reason, found.source, found.enabled) == ("SPLIT", "default", True)


def test_a_split_of_one_needs_nobody_and_a_real_one_does():
    whole = [{"variant": "blue", "weight": 100}, {"variant": "red", "weight": 0}]
    assert gets(flag(**COLOURS, split=whole)) == ("blue", "STATIC", "default")
    found = ask(flag(**COLOURS, split=SPLIT))
    assert (found.variant, found.error) == ("none", "TARGETING_KEY_MISSING")


def test_whoever_is_switched_on_gets_what_the_split_gives():
    given = flag(**COLOURS, split=SPLIT, rolloutPercentage=0, overrides=[{"userId": "u1", "enabled": True}])
    assert ask(given, targetingKey="u1").variant == ("red" if point("new-checkout", "u1") < 333 else "blue")


# ---- Rules ----


def test_the_first_rule_that_matches_decides():
    rules = [
        {"name": "staff", "conditions": [when("email", "str_ends_with", "@shop.example")], "variant": "on"},
        {"name": "cheap", "conditions": [when("plan", "in", "free", "trial")], "variant": "off"},
    ]
    given = flag(rules=rules, rolloutPercentage=100)
    assert ask(given, email="a@shop.example", plan="free").rule == "staff"
    found = ask(given, email="a@else.example", plan="free")
    assert (found.variant, found.rule, found.reason) == ("off", "cheap", "TARGETING_MATCH")
    assert gets(given, email="a@else.example", plan="pro") == ("on", "TARGETING_MATCH", "default")


def test_a_rule_with_a_rollout_is_passed_by_those_outside_of_it():
    rules = [
        {"conditions": [when("plan", "in", "pro")], "variant": "blue", "rolloutPercentage": 30},
        {"conditions": [], "variant": "none"},
    ]
    given = flag(**COLOURS, rules=rules)
    inside, outside = (in_at("new-checkout", 30, inside=one) for one in (True, False))
    assert gets(given, targetingKey=inside, plan="pro") == ("blue", "SPLIT", "rule")
    assert gets(given, targetingKey=outside, plan="pro") == ("none", "TARGETING_MATCH", "rule")
    assert ask(given, plan="pro").variant == "none"  # nobody is in no rollout


def test_a_rule_may_split_and_without_either_gives_what_the_flag_gives():
    rules = [{"conditions": [when("plan", "in", "pro")], "split": SPLIT}, {"conditions": [when("plan", "in", "team")]}]
    given = flag(**COLOURS, rules=rules, rolloutPercentage=0)
    assert ask(given, targetingKey="u1", plan="pro").variant == ("red" if point("new-checkout", "u1") < 333 else "blue")
    assert gets(given, plan="team") == ("red", "TARGETING_MATCH", "rule")


def test_a_segment_is_written_once_and_asked_for_by_name():
    segments = {"beta": {"conditions": [when("plan", "in", "pro"), when("country", "in", "SE", "NO")]}}
    given = flag(rules=[{"conditions": [{"operator": "segment", "values": ["beta"]}]}], rolloutPercentage=0)
    assert gets(given, segments=segments, plan="pro", country="SE")[0] == "on"
    assert gets(given, segments=segments, plan="pro", country="DK")[0] == "off"
    outside = {"operator": "segment", "values": ["beta"], "inverted": True}
    given = flag(rules=[{"conditions": [outside]}], rolloutPercentage=0)
    assert gets(given, segments=segments, plan="pro", country="DK")[0] == "on"
    assert gets(given, segments=segments, plan="pro")[0] == "off"  # unknown, so its opposite is unknown, too
    assert gets(given, segments=segments, plan="free")[0] == "on"  # one that is false is enough to be outside


# ---- Explanations ----


def test_an_explanation_has_every_step_and_where_somebody_stands():
    given = flag(
        rolloutPercentage=25, bucketBy="organizationId", allowedPlans=["pro"],
        rules=[{"name": "staff", "conditions": [when("email", "str_ends_with", "@shop.example"), when("age", "num_gt", 3)]}],
    )  # fmt: skip
    context = {"targetingKey": "u1", "organizationId": "o1", "plan": "pro", "email": "a@else.example"}
    found = Ruleset(snapshot(given)).evaluate("new-checkout", context, explain=True)
    steps = {step["step"]: step for step in found.steps}
    assert [step["step"] for step in found.steps] == [
        "enabled", "prerequisites", "userOverride", "organizationOverride", "allowedPlans", "allowedUsers", "rule", "rollout",
    ]  # fmt: skip
    assert steps["userOverride"]["result"] == "unused"
    assert steps["allowedPlans"]["result"] == steps["rule"]["result"] == "passed"
    assert [one["holds"] for one in steps["rule"]["conditions"]] == [False, None]
    assert steps["rule"]["conditions"][0]["found"] == "a@else.example"
    place = position("new-checkout", "o1") / 1000
    assert steps["rollout"] == {
        "step": "rollout", "result": "decided", "rolloutPercentage": 25.0, "bucketBy": "organizationId", "unit": "o1",
        "position": place, "variant": "on" if place < 25 else "off",
    }  # fmt: skip


def test_steps_after_the_deciding_one_are_said_not_to_be_reached():
    found = Ruleset(snapshot(flag(enabled=False, rules=[{"name": "staff", "conditions": []}]))).evaluate(
        "new-checkout", {}, explain=True
    )
    assert [step["result"] for step in found.steps] == ["decided"] + ["not reached"] * 7
    assert found.steps[6]["name"] == "staff"


def test_an_explanation_always_gives_the_answer_that_it_explains():
    """Random flags and people: what is put together for speed, and the steps one by one."""
    dice = random.Random(11)
    flags = [any_flag(dice, number) for number in range(300)]
    ruleset = Ruleset(snapshot(*flags, segments={"beta": {"conditions": [when("plan", "in", "pro")]}}))
    assert ruleset.broken == {}
    answers = set()
    for one in flags:
        for _ in range(20):
            context = any_context(dice)
            quick, slow = (ruleset.evaluate(one["key"], context, explain=explain) for explain in (False, True))
            shown = [(a.variant, a.reason, a.source, a.rule, a.prerequisite, a.error) for a in (quick, slow)]
            assert shown[0] == shown[1], (one, context)
            assert [step["result"] for step in slow.steps].count("decided") == 1
            answers.add(shown[0][:3])
    assert len(answers) > 20


def any_flag(dice, number):
    def some(value, chance=0.4):
        return value if dice.random() < chance else None

    def condition():
        return dice.choice([
            when("plan", "in", "pro", "team", inverted=dice.random() < 0.3),
            when("country", "not_in", "SE"), when("age", "num_gte", 18), {"operator": "segment", "values": ["beta"]},
            when("email", "regex", "^a.*@shop"), {"attribute": "country", "operator": "is_not_set"},
        ])  # fmt: skip

    found = flag(
        f"f{number}", **COLOURS, enabled=dice.random() < 0.9, killed=dice.random() < 0.05,
        rolloutPercentage=dice.choice([None, 0, 10, 50, 33.333, 100]), split=some(SPLIT), allowedPlans=some(["pro", "team"]),
        allowedUsers=some(["u1", "u2"], 0.2), bucketBy=some(dice.choice(["userId", "organizationId", "device"])),
        prerequisites=some([{"flag": f"f{dice.randrange(300)}", "variants": some(["red"])}], 0.2),
        overrides=some([{"userId": "u3", "enabled": True}, {"organizationId": "o1", "variant": "blue"}], 0.3),
        rules=[
            {"conditions": [condition() for _ in range(dice.randrange(3))], "variant": some("blue"),
             "rolloutPercentage": some(50)}
            for _ in range(dice.randrange(3))
        ],
    )  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def any_context(dice):
    found = {
        "targetingKey": f"u{dice.randrange(50)}", "organizationId": f"o{dice.randrange(9)}", "age": dice.randrange(40),
        "plan": dice.choice(["pro", "team", "free"]), "country": dice.choice(["SE", "NO"]), "email": "anna@shop.example",
        "device": f"d{dice.randrange(50)}",
    }  # fmt: skip
    return {name: value for name, value in found.items() if dice.random() < 0.7}


# ---- What makes no sense ----


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": "colour"}, "type"),
        ({"offVariant": "maybe"}, "offVariant"),
        ({"type": "string"}, "variants"),
        ({"variants": [{"name": "on", "value": "yes"}]}, "variants[0].value"),
        ({"type": "integer", "variants": [{"name": "on", "value": True}]}, "variants[0].value"),
        ({"variants": [{"name": "on", "value": True}] * 2}, "variants[1].name"),
        ({"rolloutPercentage": 101}, "rolloutPercentage"),
        ({"rolloutPercentage": float("nan")}, "rolloutPercentage"),
        ({"rolloutPercentage": "50"}, "rolloutPercentage"),
        ({"split": [{"variant": "on", "weight": 50}, {"variant": "off", "weight": 49.9}]}, "split"),
        ({"split": [{"variant": "on", "weight": 33.33}, {"variant": "off", "weight": 66.67}]}, "split[0].weight"),
        ({"split": [{"variant": "blue", "weight": 100}]}, "split[0].variant"),
        ({"rules": [{"conditions": [when("plan", "resembles", "pro")]}]}, "rules[0].conditions[0].operator"),
        ({"rules": [{"conditions": [when("age", "num_gt", "old")]}]}, "rules[0].conditions[0].values[0]"),
        ({"rules": [{"conditions": [when("age", "num_gt")]}]}, "rules[0].conditions[0].values"),
        ({"rules": [{"conditions": [when("mail", "regex", "(a)\\1")]}]}, "rules[0].conditions[0].values[0]"),
        ({"rules": [{"conditions": [{"operator": "segment", "values": ["x"]}]}]}, "rules[0].conditions[0].values"),
        ({"rules": [{}, {"variant": "blue"}]}, "rules[1].variant"),
        ({"rules": "all"}, "rules"),
        ({"rules": ["all"]}, "rules[0]"),
        ({"enabled": "yes"}, "enabled"),
        ({"allowedPlans": [5]}, "allowedPlans"),
        ({"overrides": [{"enabled": True}]}, "overrides[0]"),
        ({"overrides": [{"userId": "u1"}]}, "overrides[0].enabled"),
        ({"overrides": [{"userId": "u1", "enabled": True, "expiresAt": "tomorrow"}]}, "overrides[0].expiresAt"),
    ],
)  # fmt: skip
def test_a_definition_that_makes_no_sense_answers_the_codes_default_and_names_the_field(given, field):
    ruleset = Ruleset(snapshot(flag(**given), flag("other")))
    found = ruleset.evaluate("new-checkout", {"targetingKey": "u1"})
    assert (found.variant, found.error, found.enabled) == (None, "PARSE_ERROR", False)
    assert ruleset.broken["new-checkout"].field == f"flags[0].{field}"
    assert ruleset.evaluate("other", {}).enabled, "the others are not touched by it"


@pytest.mark.parametrize("key", ["", "a b", "a/b", "ü", "x" * 201, None, 5])
def test_a_flag_without_a_proper_key_is_left_out(key):
    ruleset = Ruleset(snapshot({"key": key, "enabled": True}, flag()))
    assert list(ruleset.decide) == ["new-checkout"]
    assert [error.field for error in ruleset.broken.values()] == ["flags[0].key"]


@pytest.mark.parametrize(
    "found", [None, [], "x", {}, {"format": 2, "flags": []}, {"format": 1, "flags": {}}, {"format": 1, "segments": [1]}]
)
def test_what_is_no_snapshot_is_refused(found):
    with pytest.raises(Invalid):
        Ruleset(found)


def test_fields_of_a_later_version_are_let_be():
    assert gets(flag(colour="green", owner={"team": "x"})) == ("on", "STATIC", "default")


def test_a_value_that_an_app_changes_is_its_own():
    given = flag(type="object", variants=[{"name": "on", "value": {"a": [1]}}, {"name": "off", "value": {}}])
    ruleset = Ruleset(snapshot(given))
    ruleset.evaluate("new-checkout", {}).value["a"].append(2)
    assert ruleset.evaluate("new-checkout", {}).value == {"a": [1]}


def test_a_thousand_flags_are_compiled_quickly_and_what_stayed_is_kept():
    rule = {
        "conditions": [when("email", "str_ends_with", "@shop.example")],
        "variant": "blue",
        "rolloutPercentage": 12.3,
    }
    many = [flag(f"f{number}", **COLOURS, split=SPLIT, rules=[rule]) for number in range(1000)]
    begun = time.process_time()
    first = Ruleset(snapshot(*many))
    assert time.process_time() - begun < 0.5  # a tenth of a second on a machine with nothing else to do
    changed = [*many[:-1], many[-1] | {"enabled": False}]
    second = Ruleset(snapshot(*changed), previous=first)
    assert second.decide["f0"] is first.decide["f0"]
    assert second.changed_since(first) == ["f999"]
    assert second.evaluate("f999", {}).enabled is False
