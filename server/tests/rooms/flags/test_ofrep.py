"""OFREP on the wire: what a flag answers, who may ask, and that nothing that comes in is an error of ours."""

from __future__ import annotations

import random

import pytest
from doors import CLIENT_KEY, PRODUCTION, SERVER_KEY, running, until
from flag_server import flag
from random_flags import SEGMENTS, context, flags

from daytwo.flags import Ruleset
from daytwo_server.flags.app.keys import Key

REASONS = {"STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"}  # the only ones in OFREP's own description
PLANS = flag("new-checkout", allowedPlans=["pro"], clientExposed=True)


@pytest.fixture(scope="module")
def doors():
    with running(
        PLANS,
        flag("secret"),
        flag("half", rolloutPercentage=50),
        flag("price", type="float", variants=[{"name": "list", "value": 10}, {"name": "off", "value": 0}],
             defaultVariant="list"),
        flag("limits", type="object", variants=[{"name": "all", "value": {"seats": [1, 2]}}, {"name": "off", "value": {}}],
             defaultVariant="all"),
        flag("child", prerequisites=[{"flag": "secret", "variants": ["off"]}], clientExposed=True,
             rules=[{"name": "suspects", "conditions": []}]),
        flag("odd", split=[{"variant": "on", "weight": 12}], clientExposed=True),
    ) as doors:  # fmt: skip
        yield doors


# ---- Answers ----


def test_an_answer_has_value_variant_reason_and_what_decided(doors):
    answer = doors.evaluate("new-checkout", {"targetingKey": "dana", "plan": "pro"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {
        "key": "new-checkout", "value": True, "variant": "on", "reason": "TARGETING_MATCH",
        "metadata": {"enabled": True, "version": 1, "source": "default", "flagSetId": "production"},
    }  # fmt: skip


def test_a_float_keeps_its_fraction_and_an_object_its_shape(doors):
    assert '"value":10.0,' in doors.evaluate("price").text
    assert doors.evaluate("limits").json()["value"] == {"seats": [1, 2]}


def test_an_unknown_flag_is_404_and_one_that_makes_no_sense_400(doors):
    unknown, broken = doors.evaluate("nope"), doors.evaluate("odd")
    assert (unknown.status_code, unknown.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")
    assert (broken.status_code, broken.json()["errorCode"]) == (400, "PARSE_ERROR")
    for answer in (unknown, broken):
        assert answer.json().keys() == {"key", "errorCode", "errorDetails", "metadata"}


def test_a_rollout_without_a_unit_says_so_and_is_off(doors):
    answer = doors.evaluate("half", {"plan": "pro"})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "TARGETING_KEY_MISSING")
    assert answer.json()["metadata"]["enabled"] is False
    assert doors.evaluate("half", {"organizationId": "org_5"}).status_code == 200


def test_any_context_answers_as_the_evaluator_does():
    dice = random.Random(4)
    made = flags(dice, 60)
    ruleset = Ruleset({"format": 1, "flags": made, "segments": SEGMENTS})
    with running(*made, segments=SEGMENTS) as doors:
        for _ in range(40):
            whom = context(dice)
            found = {one["key"]: one for one in doors.evaluate("", whom).json()["flags"]}
            assert found.keys() == ruleset.flags.keys()
            for key, said in found.items():
                expected = ruleset.evaluate(key, whom)
                if expected.error:
                    assert said["errorCode"] == expected.error
                else:
                    assert (said["value"], said["variant"], said["reason"], said["metadata"]["enabled"]) == (
                        expected.value, expected.variant, expected.reason, expected.enabled,
                    )  # fmt: skip
                    assert said["reason"] in REASONS
            one = dice.choice(made)["key"]
            assert doors.evaluate(one, whom).json() == found[one]


def test_a_key_may_be_percent_encoded(doors):
    assert doors.evaluate("new%2Dcheckout", {"plan": "pro"}).json()["key"] == "new-checkout"


# ---- All of them ----


def test_bulk_has_failures_beside_answers_and_an_event_stream(doors):
    body = doors.evaluate("", {"targetingKey": "dana"}).json()
    assert [one["key"] for one in body["flags"]] == [
        "new-checkout", "secret", "half", "price", "limits", "child", "odd",
    ]  # fmt: skip
    assert body["flags"][-1]["errorCode"] == "PARSE_ERROR"
    [stream] = body["eventStreams"]
    assert stream["type"] == "sse"
    assert stream["endpoint"]["requestUri"].startswith("/ofrep/v1/stream?ticket=")
    assert SERVER_KEY[12:] not in str(stream)


def test_the_same_answers_are_304_and_another_plan_is_not(doors):
    """The web provider forgets its ETag only when the targetingKey changes."""
    first = doors.evaluate("", {"targetingKey": "dana", "plan": "pro"})
    etag = {"If-None-Match": first.headers["etag"]}
    again = doors.evaluate("", {"targetingKey": "dana", "plan": "pro"}, headers=etag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert doors.evaluate("", {"targetingKey": "dana", "plan": "free"}, headers=etag).status_code == 200
    weakened = {"If-None-Match": f'"else", {first.headers["etag"].removeprefix("W/")}'}
    assert doors.evaluate("", {"targetingKey": "dana", "plan": "pro"}, headers=weakened).status_code == 304


def test_an_override_that_is_over_is_no_304():
    import datetime as dt

    ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1.5)
    override = {"userId": "dana", "enabled": False, "expiresAt": ends.isoformat()}
    with running(flag(overrides=[override])) as doors:
        before = doors.evaluate("", {"targetingKey": "dana"})
        assert before.json()["flags"][0]["value"] is False

        def changed():
            now = doors.evaluate("", {"targetingKey": "dana"}, headers={"If-None-Match": before.headers["etag"]})
            return now.status_code == 200 and now.json()["flags"][0]["value"]

        assert until(changed) is True


# ---- Who asks ----


def test_a_client_key_gets_what_is_exposed_and_no_names_of_other_things(doors):
    body = doors.evaluate("", {"plan": "pro"}, key=CLIENT_KEY)
    assert [one["key"] for one in body.json()["flags"]] == ["new-checkout", "child", "odd"]
    assert "secret" not in body.text
    assert "suspects" not in body.text
    assert doors.evaluate("secret", key=CLIENT_KEY).status_code == 404
    assert doors.evaluate("secret").status_code == 200
    assert doors.evaluate("child").json()["metadata"]["prerequisite"] == "secret"


def test_a_key_may_come_as_bearer_or_as_api_key(doors):
    for headers in ({"X-API-Key": SERVER_KEY}, {"Authorization": f"bearer {SERVER_KEY}"}):
        assert doors.http.post("/ofrep/v1/evaluate/flags/secret", json={}, headers=headers).status_code == 200


def test_without_a_key_or_with_another_one_it_is_401_in_json(doors):
    wrong = (None, "Bearer nothing", "Bearer", f"Bearer {SERVER_KEY[:-1]}x", f"Bearer {SERVER_KEY[:12]}", "Basic QQ==")
    for header in (*wrong, b"Bearer \xff\xfe"):
        answer = doors.http.post(
            "/ofrep/v1/evaluate/flags/secret", json={}, headers={"Authorization": header} if header else {}
        )
        assert answer.status_code == 401, header
        assert answer.json().keys() == {"key", "errorCode", "errorDetails"}
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_new_key_works_at_once_and_a_revoked_one_no_more():
    other = "dtc_other"
    with running(PLANS) as doors:
        assert doors.evaluate("new-checkout", key=other).status_code == 401
        doors.keys[other] = Key(id=other, environment=PRODUCTION)
        until(lambda: doors.evaluate("new-checkout", key=other).status_code == 200, 2)
        del doors.keys[other]
        doors.version += 1
        until(lambda: doors.evaluate("new-checkout", key=other).status_code == 401, 2)


# ---- Browsers ----


def test_any_page_may_ask_and_read_the_etag(doors):
    asked = {"Origin": "https://app.example", "Access-Control-Request-Headers": "authorization, if-none-match"}
    before = doors.http.options("/ofrep/v1/evaluate/flags", headers=asked)
    assert (before.status_code, before.headers["access-control-allow-origin"]) == (204, "*")
    assert {"authorization", "if-none-match", "content-type"} <= set(
        before.headers["access-control-allow-headers"].split(", ")
    )
    answer = doors.evaluate("", key=CLIENT_KEY, headers={"Origin": "https://app.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" in answer.headers["access-control-expose-headers"]
    refused = doors.evaluate("nope", key=CLIENT_KEY, headers={"Origin": "https://app.example"})
    assert refused.headers["access-control-allow-origin"] == "*"


def test_a_key_that_names_its_origins_lets_no_other_page_in():
    limited = Key(id="dtc_limited", environment=PRODUCTION, allowed_origins=("https://*.shop.example",))
    with running(PLANS) as doors:
        doors.keys[limited.id] = limited

        def ask(origin):
            return doors.evaluate("new-checkout", key=limited.id, headers={"Origin": origin} if origin else {})

        good = ask("https://app.shop.example")
        assert good.headers["access-control-allow-origin"] == "https://app.shop.example"
        assert good.headers["vary"] == "origin"
        bad = ask("https://elsewhere.example")
        assert bad.status_code == 403
        assert "access-control-allow-origin" not in bad.headers
        assert ask("").status_code == 200  # no page, but a server


# ---- What comes in ----


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"), (b"\xff", "PARSE_ERROR"), (b"[]", "PARSE_ERROR"), (b"5", "PARSE_ERROR"),
        (b"[" * 20_000, "PARSE_ERROR"), (b'{"context": ' + b'{"a":' * 5000, "PARSE_ERROR"),
        (b'{"context": []}', "INVALID_CONTEXT"), (b'{"context": "dana"}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": {"id": 1}}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": true}}', "INVALID_CONTEXT"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["", "/half"])
def test_what_is_no_context_is_400_with_a_code(doors, body, code, path):
    answer = doors.ask(f"/ofrep/v1/evaluate/flags{path}", method="POST", content=body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert ("key" in answer.json()) is bool(path)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b'{"context": null}', b'{"context": {}}', b'{"context": {"targetingKey": null, "plan": 7}}',
        b'{"context": {"targetingKey": 5, "organizationId": ["a"], "plan": {"a": 1}}}',
        b'{"context": {"targetingKey": "\\u0000\\uffff", "userId": 99999999999999999999999999}}',
        b'{"context": {"targetingKey": "", "extra": [[[]], {"a": [null]}]}, "more": 1}',
    ],
)  # fmt: skip
def test_an_odd_context_is_answered(doors, body):
    assert doors.ask("/ofrep/v1/evaluate/flags/secret", method="POST", content=body).status_code == 200
    assert doors.ask("/ofrep/v1/evaluate/flags", method="POST", content=body).status_code == 200


def test_a_large_body_is_refused_and_a_client_key_may_send_less(doors):
    context = {"targetingKey": "dana", "note": "x" * 20_000}
    assert doors.evaluate("secret", context).status_code == 200
    refused = doors.evaluate("new-checkout", context, key=CLIENT_KEY)
    assert (refused.status_code, refused.json()["errorCode"]) == (413, "GENERAL")
    assert doors.evaluate("secret", {"note": "x" * 70_000}).status_code == 413
    chunks = (b"x" * 9000 for _ in range(20))
    assert doors.ask("/ofrep/v1/evaluate/flags/secret", method="POST", content=chunks).status_code == 413


def test_other_methods_paths_and_encodings_say_what_is_right(doors):
    wrong = doors.ask("/ofrep/v1/evaluate/flags", method="GET")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert doors.ask("/ofrep/v1/configuration").status_code == 404
    assert doors.ask("/ofrep/v1/evaluate/flagsandmore", method="POST", json={}).status_code == 404
    assert doors.ask(
        "/ofrep/v1/evaluate/flags", method="POST", content=b"x", headers={"Content-Encoding": "gzip"}
    ).status_code == 415  # fmt: skip
    for path in (
        "/ofrep/v1/evaluate/flags/" + "x" * 5000,
        "/ofrep/v1/evaluate/flags/%00",
        "/ofrep/v1/evaluate/flags//",
    ):
        assert doors.ask(path, method="POST", json={}).status_code == 404


# ---- The store ----


def test_a_change_is_answered_within_a_second():
    import time

    with running(PLANS) as doors:
        assert doors.evaluate("new-checkout", {"plan": "pro"}).json()["value"] is True
        doors.put(PLANS | {"killed": True})
        begun = time.monotonic()
        until(lambda: doors.evaluate("new-checkout", {"plan": "pro"}).json()["reason"] == "DISABLED")
        assert time.monotonic() - begun < 1


def test_nothing_is_read_for_an_evaluation_and_the_last_known_holds_without_a_store():
    with running(PLANS) as doors:
        for _ in range(20):
            doors.evaluate("new-checkout", {"plan": "pro"})
        assert doors.loads == 1
        doors.is_away = True
        for _ in range(5):
            assert doors.evaluate("new-checkout", {"plan": "pro"}).json()["value"] is True
            assert doors.ask("/flags/v1/snapshot").status_code == 200
        doors.put(PLANS | {"enabled": False})
        doors.is_away = False
        until(lambda: doors.evaluate("new-checkout", {"plan": "pro"}).json()["value"] is False)


def test_without_a_store_from_the_start_it_is_503_and_to_be_tried_again():
    with running(PLANS) as doors:
        doors.is_away = True
        answer = doors.evaluate("new-checkout")
        assert (answer.status_code, answer.json()["errorCode"], answer.headers["retry-after"]) == (503, "GENERAL", "1")
        doors.is_away = False
        until(lambda: doors.evaluate("new-checkout").status_code == 200)
