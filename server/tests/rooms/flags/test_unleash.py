"""Unleash's protocol: definitions in its words, and its clients' counts as exposures."""

from __future__ import annotations

import datetime as dt

import pytest
from doors import SERVER_KEY, running, until
from flag_server import flag, snapshot

from daytwo.flags import Ruleset
from daytwo_server.flags.app.batches import Exposure, Missing
from daytwo_server.flags.app.unleash import features

TEXT = {
    "type": "string", "offVariant": "off", "defaultVariant": "a",
    "variants": [{"name": "a", "value": "blue"}, {"name": "b", "value": "red"}, {"name": "off", "value": ""}],
}  # fmt: skip
METRICS = {
    "appName": "billing", "instanceId": "one", "bucket": {
        "start": "2026-11-23T09:30:00.000Z", "stop": "2026-11-23T09:31:00.000Z",
        "toggles": {
            "new-checkout": {"yes": 5, "no": 2, "variants": {}},
            "colour": {"yes": 6, "no": 3, "variants": {"a": 4, "b": 1, "disabled": 2}},
            "gone": {"yes": 0, "no": 9},
        },
    },
}  # fmt: skip


def said(*flags, **more):
    """Features by name."""
    document = snapshot(*flags, **more)
    return {one["name"]: one for one in features(document, Ruleset(document))["features"]}


def test_it_answers_to_the_bare_key_and_with_304():
    with running(flag()) as doors:
        bare = {"Authorization": SERVER_KEY}
        answer = doors.http.get("/unleash/api/client/features", headers=bare)
        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        again = doors.http.get("/unleash/api/client/features", headers=bare | {"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        for path in ("client/register", "client/metrics"):
            assert doors.http.get(f"/unleash/api/{path}", headers=bare).status_code == 405
        assert doors.http.post("/unleash/api/client/register", headers=bare, json={}).status_code == 202
        assert doors.http.get("/unleash/api/client/features").status_code == 401


def test_a_flag_that_is_off_for_all_is_no_feature_that_is_on():
    """Without a strategy, Unleash's clients would have it on for everybody."""
    found = said(
        flag("off", enabled=False), flag("killed", killed=True), flag("none", rolloutPercentage=0),
        flag("orphan", prerequisites=[{"flag": "gone"}]),
    )  # fmt: skip
    assert {name: one["enabled"] for name, one in found.items()} == dict.fromkeys(
        ("off", "killed", "none", "orphan"), False
    )


def test_a_fraction_of_a_percent_is_rounded_down():
    found = said(flag("some", rolloutPercentage=12.9), flag("few", rolloutPercentage=0.9))
    assert {one["parameters"]["rollout"] for one in found["some"]["strategies"]} == {"12"}
    assert found["few"]["enabled"] is False


def test_an_override_ends_there_when_it_ends_here():
    now = dt.datetime.now(dt.UTC)
    past, soon = (now - dt.timedelta(hours=1)).isoformat(), (now + dt.timedelta(hours=1)).isoformat()
    overrides = [
        {"userId": "over", "enabled": True, "expiresAt": past}, {"userId": "dana", "enabled": True, "expiresAt": soon},
    ]  # fmt: skip
    [strategy] = said(flag(rolloutPercentage=0, overrides=overrides))["new-checkout"]["strategies"]
    assert [(one["contextName"], one["operator"]) for one in strategy["constraints"]] == [
        ("userId", "IN"), ("currentTime", "DATE_BEFORE"),
    ]  # fmt: skip
    assert strategy["constraints"][0]["values"] == ["dana"]


def test_an_override_that_switched_off_is_gone_from_the_definitions_when_it_ends():
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    with running(flag(overrides=[{"userId": "dana", "enabled": False, "expiresAt": ends.isoformat()}])) as doors:

        def constraints():
            [feature] = doors.ask("/unleash/api/client/features").json()["features"]
            return feature["strategies"][0]["constraints"]

        assert [one["values"] for one in constraints()] == [["dana"]]
        until(lambda: constraints() == [])


CONDITION = {"attribute": "country", "operator": "in", "values": ["SE"]}


@pytest.mark.parametrize(
    "given",
    [
        {"rules": [{"conditions": [{"attribute": "a", "operator": "regex", "values": ["x+"]}]}]},
        {"rules": [{"conditions": [{"attribute": "a", "operator": "cidr", "values": ["10.0.0.0/8"]}]}]},
        {"rules": [{"conditions": [CONDITION | {"caseInsensitive": True}]}]},
        {"rules": [{"conditions": [CONDITION | {"values": [" SE"]}]}]},
        {"rules": [{"conditions": [{"attribute": "born", "operator": "date_after", "values": ["2000-01-01"]}]}]},
        {"rules": [{"conditions": [CONDITION], "variant": "off", "rolloutPercentage": 50}]},
        {"split": [{"variant": "on", "weight": 50}, {"variant": "off", "weight": 50}]},
        {"prerequisites": [{"flag": "child"}]},
        {"rules": [
            {"conditions": [CONDITION | {"attribute": f"{rule}-{number}"} for number in range(8)], "variant": "off"}
            for rule in range(3)
        ]},
    ],
)  # fmt: skip
def test_what_it_has_no_words_for_is_left_out_and_not_said_otherwise(given):
    parent = flag("parent")
    child = flag("child", prerequisites=[{"flag": "parent"}])
    assert said(parent, child, flag(**given)).keys() == {"parent", "child"}


def test_what_makes_no_sense_is_left_out():
    assert said(flag(split=[{"variant": "on", "weight": 1}]), flag("fine")).keys() == {"fine"}


def test_values_are_payloads():
    found = said(flag("colour", **TEXT), flag("size", type="float", defaultVariant="a", variants=[
        {"name": "a", "value": 1.5}, {"name": "off", "value": 0}]))  # fmt: skip
    [colour], [size] = (feature["strategies"][0]["variants"] for feature in found.values())
    assert (colour["name"], colour["weight"], colour["payload"]) == ("a", 1000, {"type": "string", "value": "blue"})
    assert size["payload"] == {"type": "number", "value": "1.5"}


def test_a_thousand_flags_are_said_within_a_second():
    import time

    rule = {"conditions": [CONDITION], "variant": "on", "rolloutPercentage": 10}
    document = snapshot(*(flag(f"flag-{number}", rules=[rule]) for number in range(1000)))
    ruleset = Ruleset(document)
    begun = time.thread_time()
    assert len(features(document, ruleset)["features"]) == 1000
    assert time.thread_time() - begun < 1


# ---- Counts ----


@pytest.fixture(scope="module")
def doors():
    with running(flag(revision=3), flag("colour", revision=4, **TEXT)) as doors:
        yield doors


def test_its_counts_are_exposures_of_variants(doors):
    doors.batches.clear()
    assert doors.ask("/unleash/api/client/metrics", method="POST", json=METRICS).status_code == 202
    [batch] = doors.batches
    assert batch.exposures == [
        Exposure("new-checkout", 5, 3, "on", True), Exposure("new-checkout", 2, 3, "off", False),
        Exposure("colour", 4, 4, "a", True), Exposure("colour", 1, 4, "b", True), Exposure("colour", 1, 4, "a", True),
        Exposure("colour", 3, 4, "off", False),
    ]  # fmt: skip
    assert (batch.missing, batch.service, batch.until - batch.since) == ([Missing("gone", 9)], "billing", 60)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"bucket": {}}', b'{"bucket": {"start": "x", "stop": "y"}}', b"\xff", b"[" * 9000]
)
def test_what_are_no_counts_is_400(doors, body):
    answer = doors.ask("/unleash/api/client/metrics", method="POST", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
