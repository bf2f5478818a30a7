"""The released OFREP provider for Python, against the doors."""

from __future__ import annotations

import pytest

pytest.importorskip("openfeature.contrib.provider.ofrep", reason="openfeature-provider-ofrep is not installed")

from doors import SERVER_KEY, running  # noqa: E402 - after the question whether it is there
from flag_server import flag  # noqa: E402
from openfeature import api  # noqa: E402
from openfeature.contrib.provider.ofrep import OFREPProvider  # noqa: E402
from openfeature.evaluation_context import EvaluationContext  # noqa: E402

FLAGS = [
    flag("plain"),
    flag("pro", allowedPlans=["pro"]),
    flag("off", enabled=False),
    flag("half", rolloutPercentage=50),
    flag("ruled", rules=[{"name": "swedes", "conditions": [{"attribute": "country", "operator": "in", "values": ["SE"]}],
                          "variant": "off"}]),
    *(
        flag(kind, type=kind, defaultVariant="a", variants=[{"name": "a", "value": value}, {"name": "off", "value": none}])
        for kind, value, none in (("string", "blue", ""), ("integer", 7, 0), ("float", 3, 0), ("object", {"a": [1]}, {}))
    ),
    flag("broken", split=[{"variant": "on", "weight": 1}]),
]  # fmt: skip


@pytest.fixture(scope="module")
def client():
    with running(*FLAGS) as doors:
        provider = OFREPProvider(doors.url, headers_factory=lambda: {"Authorization": f"Bearer {SERVER_KEY}"})
        api.set_provider(provider)
        yield api.get_client()
        provider.session.close()
        api.clear_providers()


def test_every_type_arrives_as_what_it_is(client):
    assert client.get_boolean_value("plain", False) is True
    assert client.get_string_value("string", "") == "blue"
    assert client.get_integer_value("integer", 0) == 7
    found = client.get_float_value("float", 0.0)
    assert (found, type(found)) == (3.0, float)
    assert client.get_object_value("object", {}) == {"a": [1]}


@pytest.mark.parametrize(
    ("key", "context", "value", "reason"),
    [
        ("plain", None, True, "STATIC"), ("off", None, False, "DISABLED"),
        ("pro", EvaluationContext("dana", {"plan": "pro"}), True, "TARGETING_MATCH"),
        ("pro", EvaluationContext("dana", {"plan": "free"}), False, "TARGETING_MATCH"),
        ("ruled", EvaluationContext("dana", {"country": "SE"}), False, "TARGETING_MATCH"),
        ("half", EvaluationContext("user_1"), None, "SPLIT"),
        ("half", EvaluationContext(None, {"organizationId": "o1"}), None, "SPLIT"),
    ],
)  # fmt: skip
def test_every_reason_is_one_that_it_knows(client, key, context, value, reason):
    found = client.get_boolean_details(key, True, context)
    assert (found.error_code, found.reason) == (None, reason)
    assert found.variant == ("on" if found.value else "off")
    assert value is None or found.value is value
    assert found.flag_metadata["enabled"] is found.value


@pytest.mark.parametrize(
    ("key", "code"), [("nope", "FLAG_NOT_FOUND"), ("half", "TARGETING_KEY_MISSING"), ("broken", "PARSE_ERROR")]
)
def test_refusals_are_the_codes_default_with_a_code(client, key, code):
    found = client.get_boolean_details(key, False)
    assert (found.value, found.error_code.value) == (False, code)
    assert found.error_message


def test_another_type_is_the_codes_default(client):
    assert client.get_integer_details("string", 5).value == 5


def test_a_wrong_key_is_the_codes_default_and_no_pause(client):
    with running(flag("plain")) as doors:
        wrong = OFREPProvider(doors.url, headers_factory=lambda: {"Authorization": "Bearer wrong"})
        api.set_provider(wrong, "wrong")
        assert api.get_client("wrong").get_boolean_details("plain", False).error_message == "unauthorized"
        assert wrong.retry_after is None
        wrong.session.close()
