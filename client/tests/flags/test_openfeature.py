"""The provider in the real OpenFeature SDK."""

import pytest

pytest.importorskip("openfeature", reason="openfeature-sdk is not installed")

from flag_server import KEY, flag, snapshot, until  # noqa: E402 - after the question whether it is there
from openfeature import api  # noqa: E402
from openfeature.evaluation_context import EvaluationContext  # noqa: E402
from openfeature.event import ProviderEvent  # noqa: E402
from openfeature.exception import ErrorCode  # noqa: E402
from openfeature.provider import ProviderStatus  # noqa: E402

from daytwo.integrations.openfeature import Provider  # noqa: E402


def typed(kind, on, off):
    return flag(kind, type=kind, variants=[{"name": "a", "value": on}, {"name": "b", "value": off}], defaultVariant="a",
                offVariant="b", allowedPlans=["pro"])  # fmt: skip


EVERY = snapshot(
    flag(allowedPlans=["pro"]), typed("string", "x", ""), typed("integer", 5, 0), typed("float", 2.5, 0.0),
    typed("object", {"a": [1]}, {}), flag("half", rolloutPercentage=50),
    flag("org", rules=[{"name": "beta", "conditions": [{"attribute": "organizationId", "operator": "in", "values": ["o1"]}]}],
         rolloutPercentage=0),
)  # fmt: skip
PRO = EvaluationContext("u1", {"plan": "pro", "organizationId": "o1", "default": "an attribute", "explain": True})


@pytest.fixture
def asked(server, client):
    server.snapshot = EVERY
    client.configure(server.url, KEY, poll_seconds=0.05)
    api.set_provider_and_wait(Provider(client), "daytwo-test")
    yield api.get_client("daytwo-test")
    api.shutdown()
    api.clear_providers()


def test_every_type_is_answered_with_variant_reason_and_metadata(asked):
    found = asked.get_boolean_details("new-checkout", False, PRO)
    assert (found.value, found.variant, found.reason, found.error_code) == (True, "on", "TARGETING_MATCH", None)
    assert found.flag_metadata == {"enabled": True, "version": 1, "source": "default"}
    assert asked.get_string_value("string", "d", PRO) == "x"
    assert asked.get_integer_value("integer", 1, PRO) == 5
    assert asked.get_float_value("float", 1.0, PRO) == 2.5
    assert asked.get_float_value("integer", 1.0, PRO) == 5.0
    assert asked.get_object_value("object", {}, PRO) == {"a": [1]}
    assert asked.get_string_value("string", "d", EvaluationContext("u1", {"plan": "free"})) == ""
    assert asked.get_boolean_details("org", False, PRO).flag_metadata["rule"] == "beta"


def test_what_goes_wrong_gives_the_default_and_says_what(asked):
    found = asked.get_boolean_details("nothing", True, PRO)
    assert (found.value, found.error_code, found.reason) == (True, ErrorCode.FLAG_NOT_FOUND, "ERROR")
    assert asked.get_boolean_details("string", True, PRO).error_code == ErrorCode.TYPE_MISMATCH
    missing = asked.get_boolean_details("half", True)  # with an error, OpenFeature gives the code's default
    assert (missing.value, missing.error_code) == (True, ErrorCode.TARGETING_KEY_MISSING)


def test_changes_and_absence_are_events(asked, server):
    heard = []
    for event in ProviderEvent:
        asked.add_handler(event, lambda details, event=event: heard.append((event.name, details.flags_changed)))
    until(lambda: ("PROVIDER_READY", None) in heard)
    server.snapshot = snapshot(flag(enabled=False), revision=2)
    until(
        lambda: any(name == "PROVIDER_CONFIGURATION_CHANGED" and "new-checkout" in changed for name, changed in heard)
    )
    server.trouble = 503
    until(lambda: asked.get_provider_status() is ProviderStatus.STALE)
    assert asked.get_boolean_value("new-checkout", True, PRO) is False
    server.trouble = None
    until(lambda: asked.get_provider_status() is ProviderStatus.READY)


def test_without_definitions_it_is_not_ready(client):
    api.set_provider(Provider(client, ready_within=0.1), "daytwo-empty")
    asked = api.get_client("daytwo-empty")
    assert asked.get_provider_status() is not ProviderStatus.READY
    assert asked.get_boolean_value("new-checkout", True) is True
    api.shutdown()
    api.clear_providers()
