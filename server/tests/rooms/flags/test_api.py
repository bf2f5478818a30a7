"""The management API of flags."""

from __future__ import annotations

import json
from typing import Any

import make
import pytest
from django.test import Client
from rooms.flags.flagged import found, is_on

from daytwo_server.accounts.models import Membership
from daytwo_server.catalog.models import Environment
from daytwo_server.flags.selectors import snapshots

pytestmark = pytest.mark.django_db
URL = "/api/v1/flags"


@pytest.fixture(autouse=True)
def _forgetful():
    snapshots.forget()


@pytest.fixture
def shop(db: None) -> Any:
    return make.project("Shop")


@pytest.fixture
def api(db: None) -> Api:
    return Api(make.token(make.member("Alice", role=Membership.Role.OWNER)))


class Api:
    """A program with a token."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body)
        return Client().generic(
            method, path, sent if body is not None else "", content_type="application/json",
            headers={**self.headers, **headers},
        )  # fmt: skip

    def put(self, key: str = "new-checkout", query: str = "", **body: Any) -> Any:
        return self("PUT", f"{URL}/{key}{query}", body)

    def patch(self, key: str = "new-checkout", query: str = "", **body: Any) -> Any:
        return self("PATCH", f"{URL}/{key}{query}", body)

    def get(self, key: str = "new-checkout", query: str = "") -> Any:
        return self("GET", f"{URL}/{key}{query}").json()


def production(shop: Any) -> Environment:
    return Environment.objects.get(project=shop, name="production")


def test_a_put_creates_a_flag_and_its_environment_and_the_next_one_replaces_it(shop, api):
    first = api.put(enabled=True, rolloutPercentage=25, allowedPlans=["pro"], name="New checkout")
    assert first.status_code == 201
    assert first.json()["salt"] == "new-checkout"
    second = api.put(enabled=True)
    assert second.status_code == 200
    said = second.json()
    assert (said["rolloutPercentage"], said["allowedPlans"], said["enabled"]) == (None, [], True)
    assert said["revision"] > first.json()["revision"]
    assert is_on(production(shop), targetingKey="u1")


def test_a_get_says_what_a_put_said(shop, api):
    body = {
        "name": "Banner", "type": "string", "kind": "experiment", "clientExposed": True,
        "variants": [{"name": "red", "value": "#f00"}, {"name": "blue", "value": "#00f"}],
        "offVariant": "red", "defaultVariant": "blue", "enabled": True, "killed": False, "rolloutPercentage": 12.345,
        "allowedPlans": ["pro"], "allowedUsers": ["u1"], "bucketBy": "organizationId",
        "split": [{"variant": "red", "weight": 33.3}, {"variant": "blue", "weight": 66.7}],
        "rules": [{
            "name": "Nordic", "variant": "blue", "rolloutPercentage": 50,
            "conditions": [{"attribute": "country", "operator": "in", "values": ["SE"], "inverted": True}],
        }],
        "guard": {"enabled": True, "action": "kill"},
    }  # fmt: skip
    assert api.put("banner", **body).status_code == 201
    said = api.get("banner")
    assert {name: said[name] for name in body} == body
    assert said["key"] == "banner"
    again = api("PUT", f"{URL}/banner", said)
    assert again.status_code == 200
    assert again.json()["revision"] == said["revision"]


def test_a_patch_changes_only_what_it_names(shop, api):
    api.put(enabled=True, rolloutPercentage=25, allowedPlans=["pro"])
    assert api.patch(rolloutPercentage=50).status_code == 200
    said = api.get()
    assert (said["enabled"], said["rolloutPercentage"], said["allowedPlans"]) == (True, 50, ["pro"])


def test_killing_says_who_and_why_and_reviving_forgets_it(shop, api):
    api.put(enabled=True)
    api.patch(killed=True, reason="Checkout is down")
    said = api.get()
    assert (said["killed"], said["killedBy"], said["killReason"]) == (True, "Script (API)", "Checkout is down")
    assert not is_on(production(shop), targetingKey="u1")
    api.patch(killed=False)
    assert api.get()["killedBy"] is None
    assert is_on(production(shop), targetingKey="u1")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"enabled": "yes"}, "enabled"),
        ({"rolloutPercentage": 101}, "rolloutPercentage"),
        ({"rolloutPercentage": 0.0001}, "rolloutPercentage"),
        ({"type": "number"}, "type"),
        ({"defaultVariant": "blue"}, "defaultVariant"),
        ({"split": [{"variant": "on", "weight": 60}]}, "split"),
        ({"split": [{"variant": "blue", "weight": 100}]}, "split[0].variant"),
        ({"type": "string", "variants": [{"name": "a", "value": 1}], "offVariant": "a"}, "variants[0].value"),
        ({"variants": [{"name": "on", "value": True, "weight": 10}, {"name": "off", "value": False}]}, "variants"),
        ({"prerequisites": [{"flag": "none"}]}, "prerequisites[0].flag"),
        ({"prerequisites": [{"flag": "new-checkout"}]}, "prerequisites[0].flag"),
        ({"rules": [{"percentage": 5}]}, "rules[0].percentage"),
        ({"rules": [{"conditions": [{"attribute": "a", "operator": "like"}]}]}, "rules[0].conditions[0].operator"),
        (
            {"rules": [{"conditions": [{"operator": "segment", "values": ["none"]}]}]},
            "rules[0].conditions[0].values",
        ),
        (
            {"rules": [{"conditions": [{"attribute": "a", "operator": "regex", "values": ["(a)\\1"]}]}]},
            "rules[0].conditions[0].values[0]",
        ),
        ({"guard": {"action": "explode"}}, "guard.action"),
        ({"name": "a\x00b"}, "name"),
        ({"key": "other"}, "key"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_with_400_and_its_field_and_nothing_is_written(shop, api, body, field):
    api.put(enabled=True)
    before = api.get()
    answer = api("PUT", f"{URL}/new-checkout", body)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert api.get() == before


def test_prerequisites_in_a_circle_are_refused(shop, api):
    api.put("a")
    api.put("b", prerequisites=[{"flag": "a"}])
    api.put("c", prerequisites=[{"flag": "b"}])
    answer = api.patch("a", prerequisites=[{"flag": "c"}])
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"prerequisites": ["they lead in a circle: a → c → b → a"]}


def test_a_chain_of_more_than_twenty_flags_is_refused(shop, api):
    api.put("f0")
    for number in range(1, 20):
        assert api.put(f"f{number}", prerequisites=[{"flag": f"f{number - 1}"}]).status_code == 201
    assert "prerequisites" in api.put("f20", prerequisites=[{"flag": "f19"}]).json()["fields"]


def test_a_flag_that_others_hang_on_cannot_be_archived_nor_lose_the_variant_they_wait_for(shop, api):
    two = [{"name": "a", "value": "a"}, {"name": "b", "value": "b"}]
    api.put("parent", type="string", variants=two, offVariant="a", defaultVariant="b")
    api.put("child", prerequisites=[{"flag": "parent", "variants": ["b"]}])
    assert api.patch("parent", archived=True).status_code == 400
    answer = api.patch("parent", variants=[two[0]], defaultVariant="a")
    assert answer.json()["fields"] == {"variants": ["child waits for 'b'; change that first"]}


def test_without_a_project_the_only_one_is_meant_and_of_two_none(shop, api):
    assert api.put().status_code == 201
    make.project("Other")
    assert "project" in api.put().json()["fields"]
    assert api.put(query="?project=other").status_code == 201


def test_environments_differ_in_what_is_theirs_and_share_the_rest(shop, api):
    api.put(query="?environment=staging", enabled=True, name="Checkout")
    api.put(enabled=False, name="Checkout, new")
    staging = api.get(query="?environment=staging")
    assert (staging["enabled"], staging["name"]) == (True, "Checkout, new")
    assert not api.get()["enabled"]


def test_an_unknown_flag_is_404_and_an_unknown_environment_400(shop, api):
    assert api("GET", f"{URL}/none").status_code == 404
    api.put()
    assert "environment" in api("GET", f"{URL}/new-checkout?environment=mars").json()["fields"]


def test_a_change_of_what_others_changed_meanwhile_is_409(shop, api):
    revision = api.put().json()["revision"]
    api.patch(enabled=True)
    answer = api("PATCH", f"{URL}/new-checkout", {"enabled": False}, **{"If-Match": str(revision)})
    assert answer.status_code == 409
    assert api.get()["enabled"] is True
    now = api.get()["revision"]
    assert api("PATCH", f"{URL}/new-checkout", {"enabled": False}, **{"If-Match": f'"{now}"'}).status_code == 200


def test_overrides_come_and_go(shop, api):
    api.put(enabled=True, rolloutPercentage=0)
    path = f"{URL}/new-checkout/overrides"
    assert api("PUT", path, {"userId": "u1", "enabled": True}).status_code == 200
    assert (
        api("PUT", path, {"organizationId": "o1", "variant": "on", "expiresAt": "2999-01-01T00:00:00Z"})
        .json()["expiresAt"]
        .startswith("2999")
    )
    assert is_on(production(shop), targetingKey="u1")
    assert is_on(production(shop), targetingKey="u2", organizationId="o1")
    assert [one["userId"] for one in api("GET", path).json()["results"]] == [None, "u1"]
    assert api("DELETE", f"{path}?userId=u1").status_code == 204
    assert api("DELETE", f"{path}?userId=u1").status_code == 404
    assert not is_on(production(shop), targetingKey="u1")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"enabled": True}, "userId"),
        ({"userId": "u", "organizationId": "o", "enabled": True}, "userId"),
        ({"userId": "u"}, "enabled"),
        ({"userId": "u", "enabled": True, "variant": "on"}, "enabled"),
        ({"userId": "u", "variant": "blue"}, "variant"),
        ({"userId": "u", "enabled": True, "expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
        ({"userId": "u", "enabled": True, "expiresAt": "2999-01-01"}, "expiresAt"),
        ({"userId": " u", "enabled": True}, "userId"),
        ({"userId": ["u"], "enabled": True}, "userId"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(shop, api, body, field):
    api.put()
    answer = api("PUT", f"{URL}/new-checkout/overrides", body)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


def test_changes_are_told_and_can_be_taken_back(shop, api):
    api.put(enabled=True)
    api.patch(rolloutPercentage=10, reason="Careful")
    told = api("GET", f"{URL}/new-checkout/changes").json()
    latest = told["results"][0]
    assert (latest["actor"], latest["action"], latest["reason"]) == ("Script (API)", "changed", "Careful")
    assert (latest["before"], latest["after"]) == ({"rolloutPercentage": None}, {"rolloutPercentage": 10})
    assert told["next"] is None
    assert api("POST", f"{URL}/new-checkout/changes/{latest['id']}/revert").json()["rolloutPercentage"] is None
    api.patch(rolloutPercentage=20)
    assert api("POST", f"{URL}/new-checkout/changes/{latest['id']}/revert").status_code == 409


def test_an_archived_flag_is_in_no_snapshot_and_comes_back_as_it_was(shop, api):
    api.put(enabled=True)
    assert api.patch(archived=True).json()["archived"]
    here = production(shop)
    assert snapshots.document(here.pk)["flags"] == []
    assert api("GET", URL).json()["results"] == []
    assert api.patch(enabled=False).status_code == 400
    api.patch(archived=False)
    assert is_on(here, targetingKey="u1")


def test_a_reason_is_demanded_where_the_workspace_wants_one(shop, api, monkeypatch):
    from daytwo_server.core import preferences

    preferences.change({"flags_require_comment": "yes"}, versions={}, actor=None)
    assert list(api.put().json()["fields"]) == ["reason"]
    assert api.put(reason="New").status_code == 201
    assert api.patch(enabled=False).status_code == 200  # it is so already
    assert api.patch(enabled=True).status_code == 400


def test_a_ramp_is_started_held_and_stopped(shop, api):
    api.put()
    steps = [{"percent": 10, "holdSeconds": 3600}, {"percent": 100}]
    made = api("PUT", f"{URL}/new-checkout/ramp", {"steps": steps})
    assert made.status_code == 201
    assert (api.get()["enabled"], api.get()["rolloutPercentage"]) == (True, 10)
    assert api("PATCH", f"{URL}/new-checkout/ramp", {"do": "hold"}).json()["status"] == "held"
    assert api("PATCH", f"{URL}/new-checkout/ramp", {"do": "hold"}).status_code == 409
    assert api("PATCH", f"{URL}/new-checkout/ramp", {"do": "stop"}).json()["status"] == "stopped"
    assert api("PUT", f"{URL}/new-checkout/ramp", {"steps": steps[::-1]}).status_code == 400


def test_a_segment_that_changed_since_is_not_overwritten(shop, api):
    path = "/api/v1/segments/nordic"
    said = [{"conditions": [{"attribute": "country", "operator": "in", "values": [one]}]} for one in ("SE", "NO", "FI")]
    first = api("PUT", path, said[0], **{"If-Match": "0"}).json()["revision"]
    assert api("GET", "/api/v1/segments").json()["results"][0]["revision"] == first
    second = api("PUT", path, said[1], **{"If-Match": f'"{first}"'}).json()["revision"]
    for late in ("0", str(first)):
        assert api("PUT", path, said[2], **{"If-Match": late}).status_code == 409
    gone = api("PUT", "/api/v1/segments/gone", said[2], **{"If-Match": str(second)})
    assert (gone.status_code, gone.json()["detail"]) == (409, "Somebody removed this segment meanwhile.")
    assert api("PUT", path, said[2]).json()["revision"] > second > first


def test_segments_serve_the_rules_of_flags(shop, api):
    path = "/api/v1/segments/nordic"
    nordic = {"conditions": [{"attribute": "country", "operator": "IN", "values": ["SE"]}]}
    assert api("PUT", path, nordic).json()["conditions"][0]["operator"] == "in"
    api.put(enabled=True, rolloutPercentage=0, rules=[{"conditions": [{"operator": "segment", "values": ["nordic"]}]}])
    here = production(shop)
    assert is_on(here, targetingKey="u", country="SE")
    api("PUT", path, {"conditions": [{"attribute": "country", "operator": "in", "values": ["NO"]}]})
    assert not is_on(here, targetingKey="u", country="SE")
    told = api("GET", f"{URL}/new-checkout/changes").json()["results"][0]
    assert told["action"] == "segment_changed"
    assert api("DELETE", path).status_code == 400
    api("POST", f"{URL}/new-checkout/changes/{told['id']}/revert")
    assert is_on(here, targetingKey="u", country="SE")
    api.put(enabled=True)
    assert api("DELETE", path).status_code == 204
    assert list(api("PUT", path, {"conditions": []}).json()["fields"]) == ["conditions"]


def test_a_body_that_is_no_json_is_400(shop, api):
    assert api("PUT", f"{URL}/new-checkout", b"{").status_code == 400
    assert api("PUT", f"{URL}/new-checkout", b"[" * 5000).status_code == 400


def test_an_agent_may_override_and_not_change(shop, api):
    api.put()
    agent = Api(make.token(make.member("Ann", role=Membership.Role.AGENT)))
    assert agent.patch(enabled=True).status_code == 403
    assert agent("PUT", f"{URL}/new-checkout/overrides", {"userId": "u", "enabled": True}).status_code == 200
    assert found(shop).states.get().overrides.count() == 1


STRANGE = [
    None, True, 0, -1, 1e308, 10**400, "", "x", "\x00", "\ud800", "é" * 300, [], {}, [None], [[]], [{}], {"a": {}},
    [{"name": None}], [{"name": "on", "value": None}], [{"variant": "on", "weight": 1e400}], [{"flag": 5}],
    [{"conditions": 5}], [{"conditions": [{"operator": 5}]}], [{"conditions": [{"operator": "regex", "attribute": "a",
    "values": ["(" * 200]}]}], [{"conditions": [{"operator": "cidr", "attribute": "a", "values": ["300.0.0.0/8"]}]}],
]  # fmt: skip
FIELDS = [
    "key", "name", "description", "type", "variants", "offVariant", "defaultVariant", "kind", "clientExposed", "owner",
    "tags", "removeBy", "enabled", "killed", "rolloutPercentage", "allowedPlans", "allowedUsers", "split", "bucketBy",
    "rules", "prerequisites", "guard", "salt", "archived", "reason",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_whatever_a_field_holds_is_taken_or_refused(shop, api, field):
    api.put()
    for value in STRANGE:
        answer = api("PATCH", f"{URL}/new-checkout", {field: value})
        assert answer.status_code in {200, 400}, (value, answer.content)
        if answer.status_code == 400:
            assert [name for name in answer.json()["fields"] if name.startswith(field)], (value, answer.json())
        assert snapshots.ruleset(production(shop).pk).broken == {}
        if field == "archived":
            api.patch(archived=False)


@pytest.mark.parametrize("value", STRANGE)
def test_whatever_an_override_a_ramp_a_segment_or_a_file_holds_is_taken_or_refused(shop, api, value):
    api.put()
    said = [
        *(api("PUT", f"{URL}/new-checkout/overrides", {"userId": "u", "enabled": True, name: value})
          for name in ("userId", "organizationId", "enabled", "variant", "expiresAt", "reason")),
        api("PUT", f"{URL}/new-checkout/ramp", {"steps": value}),
        api("PUT", f"{URL}/new-checkout/ramp", {"steps": [{"percent": value, "holdSeconds": value}]}),
        api("PATCH", f"{URL}/new-checkout/ramp", {"do": value}),
        api("PUT", "/api/v1/segments/s", {"conditions": value, "description": value}),
        *(api("POST", f"{URL}/import?format={name}", value) for name in ("unleash", "flagd", "reference")),
        *(api("POST", f"{URL}/import?format=unleash", {"features": value, "segments": value}) for _ in range(1)),
        api("POST", f"{URL}/import?format=unleash", {"features": [{"name": "a", "strategies": value}]}),
        api("POST", f"{URL}/import?format=unleash", {"features": [{"name": "a", "strategies": [{"name": "flexibleRollout",
            "parameters": value, "constraints": value, "segments": value, "variants": value}]}]}),
        api("POST", f"{URL}/import?format=unleash", {"features": [{"name": "a", "variants": value, "dependencies": value}]}),
        api("POST", f"{URL}/import?format=flagd", {"flags": {"a": value}, "$evaluators": value}),
        api("POST", f"{URL}/import?format=flagd", {"flags": {"a": {"variants": {"a": value}, "defaultVariant": "a",
            "targeting": {"if": [value, value, value]}}}}),
        api("POST", f"{URL}/import?format=flagd", {"flags": {"a": {"variants": {"a": 1}, "defaultVariant": "a",
            "targeting": {"fractional": value}}}}),
        api("POST", f"{URL}/import?format=reference", [{"name": value, "enabled": value, "overrides": value}]),
        api("POST", f"{URL}/import?format=reference", {"flags": [{"name": "a"}], "overrides": [{"flagName": "a",
            "userId": value, "enabled": value}]}),
    ]  # fmt: skip
    assert {one.status_code for one in said} <= {200, 201, 400, 404, 409}
    assert snapshots.ruleset(production(shop).pk).broken == {}
