"""Errors by `/api/v1`."""

import datetime as dt
import json
import uuid

import make
import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rooms.errors import happen

from daytwo_server.accounts.models import Membership
from daytwo_server.core import clock
from daytwo_server.core.models import AuditEntry
from daytwo_server.errors import services
from daytwo_server.errors.models import Activity, Event, EventBody, Issue

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


class Api:
    """A program with a token."""

    def __init__(self, token):
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path, expected=200, /, **params):
        return self._answer(self.client.get(f"/api/v1{path}", params), expected)

    def patch(self, path, body, expected=200):
        body = body if isinstance(body, str) else json.dumps(body)
        return self._answer(self.client.patch(f"/api/v1{path}", body, content_type="application/json"), expected)

    def _answer(self, response, expected):
        assert response.status_code == expected, response.content
        return response.json()


@pytest.fixture
def api(bob):
    return Api(make.token(bob))


def test_the_list_tells_of_every_error(api, shop):
    one = happen.issue(shop, "KeyError", "'vat_id'", at=make.moment(), level="warning", user={"id": "42"})
    assert api.get("/issues") == {
        "results": [
            {
                "id": one.pk,
                "shortId": f"ERR-{one.pk}",
                "title": "KeyError: 'vat_id'",
                "culprit": one.culprit,
                "type": "KeyError",
                "value": "'vat_id'",
                "level": "warning",
                "status": "unresolved",
                "count": 1,
                "users": 1,
                "project": "shop",
                "firstSeen": "2026-11-23T09:00:00Z",
                "lastSeen": "2026-11-23T09:00:00Z",
            }
        ],
        "next": None,
    }


def test_the_list_can_be_asked_by_project_status_and_search(api, shop, bob):
    one, two = happen.issue(shop, "One", tags={"country": "DE"}), happen.issue(make.project("Blog"), "Two")
    services.resolve([two.pk], actor=bob)

    def types(**params):
        return sorted(issue["type"] for issue in api.get("/issues", **params)["results"])

    assert types() == ["One", "Two"]
    assert types(project="shop") == ["One"]
    assert types(status="resolved") == ["Two"]
    assert types(status="all") == ["One", "Two"]
    assert types(query="country:DE") == ["One"]
    assert types(query="is:resolved project:blog") == ["Two"]
    assert types(project="shop", status="ignored") == []
    services.assign([one.pk], bob.email, actor=bob)
    assert types(query="assigned:me") == ["One"]


def test_pages_are_followed_by_cursor(api, shop):
    now = clock.now()
    for n in range(7):
        happen.issue(shop, f"E{n}", at=now - dt.timedelta(seconds=n))
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get("/issues", limit=3, cursor=cursor)
        seen += [issue["type"] for issue in page["results"]]
        cursor = page["next"]
    assert seen == [f"E{n}" for n in range(7)]


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"status": "gone"}, "status", "unresolved, ignored, resolved"),
        ({"project": "nowhere"}, "project", "There is no project 'nowhere'"),
        ({"project": "a\x00"}, "project", "NUL"),
        ({"query": "project:nowhere"}, "query", "There is no project"),
        ({"query": "is:odd"}, "query", "There is no is:odd"),
        ({"query": "level:loud"}, "query", "There is no level"),
        ({"query": "x" * 501}, "query", "longer than"),
        ({"cursor": "nonsense"}, "cursor", "first page"),
        ({"limit": 0}, "limit", "from 1 to 100"),
        ({"limit": 101}, "limit", "from 1 to 100"),
        ({"limit": "many"}, "limit", ""),
    ],
)
def test_a_wrong_parameter_is_named(params, field, words, api, shop):
    answer = api.get("/issues", 400, **params)
    assert list(answer["fields"]) == [field]
    assert words in answer["fields"][field][0]
    assert answer["detail"]


@pytest.mark.parametrize("name", ["{0}", "ERR-{0}", "err-{0}"])
def test_one_error_is_found_by_number_and_by_short_id(name, api, shop, bob):
    one = happen.issue(shop, release="shop@1.4")
    services.assign([one.pk], bob.email, actor=bob)
    found = api.get(f"/issues/{name.format(one.pk)}")
    assert found["assignee"] == "bob@example.com"
    assert found["firstRelease"] == found["lastRelease"] == "shop@1.4"
    assert found["regressedAt"] is None
    assert found["explanation"]["summary"]
    assert found["url"] == f"http://testserver/errors/{one.pk}"
    assert found["count"] == 1


@pytest.mark.parametrize("name", ["999999", "ERR-999999", "x", "ERR-", "1e3", "9" * 30, "-1", "%00"])
def test_an_error_that_does_not_exist_is_404(name, api, shop):
    for path in (f"/issues/{name}", f"/issues/{name}/events"):
        assert api.get(path, 404)["detail"] == "There is no such issue."
    api.patch(f"/issues/{name}", {"status": "resolved"}, 404)


def test_the_events_of_an_error_are_listed_latest_first(api, shop):
    now = clock.now()
    for n in range(5):
        happen.issue(
            shop,
            "Same",
            f"attempt {n}",
            at=now + dt.timedelta(seconds=n),
            release="1",
            environment="staging",
            transaction="/pay",
            user={"id": "42"},
            contexts={"trace": {"trace_id": "a" * 32}},
        )
    one = Issue.objects.get()
    page = api.get(f"/issues/{one.pk}/events", limit=2)
    assert [event["message"] for event in page["results"]] == ["attempt 4", "attempt 3"]
    first = page["results"][0]
    assert first["eventId"] == happen.event_of(one).event_id
    assert (first["release"], first["environment"], first["transaction"], first["level"]) == (
        "1",
        "staging",
        "/pay",
        "error",
    )
    assert (first["traceId"], first["customerId"]) == ("a" * 32, happen.event_of(one).customer_id)
    assert first["timestamp"] == first["received"]
    rest = api.get(f"/issues/{one.pk}/events", limit=2, cursor=page["next"])
    assert [event["message"] for event in rest["results"]] == ["attempt 2", "attempt 1"]
    api.get(f"/issues/{one.pk}/events", 400, cursor="nonsense")
    api.get(f"/issues/{one.pk}/events", 400, limit=0)


def test_an_event_is_found_by_the_id_that_its_sdk_reported(api, shop):
    event_id = uuid.UUID(int=77)
    one = happen.issue(shop, event_id=event_id.hex, extra={"password": "hunter2"})
    for name in (event_id.hex, str(event_id), str(event_id).upper()):
        found = api.get(f"/events/{name}")
        assert found["issue"] == {"id": one.pk}
        assert found["event"]["event_id"] == event_id.hex
        assert "hunter2" not in json.dumps(found)


@pytest.mark.parametrize("name", ["f" * 32, "x", "f" * 31, "f" * 33, "%00", str(uuid.UUID(int=5))])
def test_an_unknown_event_is_404(name, api, shop):
    happen.issue(shop)
    assert "no such event" in api.get(f"/events/{name}", 404)["detail"]


def test_an_event_is_visible_only_with_its_row_and_its_body(api, shop):
    one = happen.issue(shop)
    event = happen.event_of(one)
    EventBody.objects.all().delete()
    assert "no longer kept" in api.get(f"/events/{event.event_id}", 404)["detail"]
    (other,) = happen.send(shop, happen.payload("Other"))
    Event.objects.filter(event_id=other.event_id).delete()  # as between the two stores' commits
    api.get(f"/events/{other.event_id}", 404)


# -- changing


@pytest.mark.parametrize("status", ["resolved", "ignored", "unresolved"])
def test_the_status_is_changed(status, api, shop, bob):
    one = happen.issue(shop)
    if status == "unresolved":
        services.resolve([one.pk], actor=bob)
    assert api.patch(f"/issues/ERR-{one.pk}", {"status": status})["status"] == status
    assert Issue.objects.get().status == status
    assert Activity.objects.latest("pk").actor == bob


def test_the_assignee_is_changed_and_taken_away(api, shop, bob):
    one = happen.issue(shop)
    assert api.patch(f"/issues/{one.pk}", {"assignee": "bob@example.com"})["assignee"] == "bob@example.com"
    assert api.patch(f"/issues/{one.pk}", {"status": "ignored"})["assignee"] == "bob@example.com"
    assert api.patch(f"/issues/{one.pk}", {"assignee": None})["assignee"] is None
    assert api.patch(f"/issues/{one.pk}", {})["status"] == "ignored"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "gone"}, "status"),
        ({"status": None}, "status"),
        ({"status": 1}, "status"),
        ({"assignee": 7}, "assignee"),
        ({"assignee": "charlie@example.com"}, "assignee"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_change_is_refused_whole_and_the_field_named(body, field, api, shop, charlie):
    one = happen.issue(shop)
    answer = api.patch(f"/issues/{one.pk}", {"status": "resolved"} | body, 400)
    assert field in answer["fields"]
    assert answer["fields"][field][0]
    assert Issue.objects.get().status == "unresolved"


@pytest.mark.parametrize("body", ["", "{", "[]", "1", '"x"', "null"])
def test_a_body_that_is_no_object_is_refused(body, api, shop):
    one = happen.issue(shop)
    assert api.patch(f"/issues/{one.pk}", body, 400)["detail"]


# -- who may


def test_without_a_token_nothing_is_told(shop):
    one = happen.issue(shop)
    nobody = Api("")
    for path in (
        "/issues",
        f"/issues/{one.pk}",
        f"/issues/{one.pk}/events",
        f"/events/{happen.event_of(one).event_id}",
    ):
        nobody.get(path, 401)
    nobody.patch(f"/issues/{one.pk}", {"status": "resolved"}, 401)


def test_charlies_session_does_not_open_the_api(charlie, signed_in, shop):
    happen.issue(shop)
    assert signed_in(charlie).get("/api/v1/issues").status_code == 401


def test_a_token_needs_the_scope_and_its_maker_the_role(bob, shop):
    one = happen.issue(shop)
    looks = Api(make.token(bob, scopes=("errors.view",)))
    looks.get("/issues")
    looks.patch(f"/issues/{one.pk}", {"status": "resolved"}, 403)
    vera = Api(make.token(make.member("Vera", role=Membership.Role.VIEWER)))
    vera.get("/issues")
    vera.patch(f"/issues/{one.pk}", {"status": "resolved"}, 403)
    Api(make.token(bob, scopes=("projects.view",))).get("/issues", 403)
    assert Issue.objects.get().status == "unresolved"


def test_the_token_that_setup_made_may_change_and_the_audit_names_it(shop):
    one = happen.issue(shop)
    setup = Api(make.token(None))
    assert setup.patch(f"/issues/{one.pk}", {"status": "resolved", "assignee": None})["status"] == "resolved"
    entry = AuditEntry.objects.get(action="errors:issue:resolved")
    assert (entry.ref_kind, entry.ref_id) == ("issue", str(one.pk))
    assert entry.actor_kind != "user"


def test_a_hundred_errors_cost_as_many_queries_as_one(api, shop):
    happen.issue(shop, "E0")

    def cost():
        with CaptureQueriesContext(connections["default"]) as queries:
            api.get("/issues", limit=100)
        return len(queries)

    cost()
    one = cost()
    for n in range(1, 100):
        happen.issue(shop, f"E{n}")
    assert cost() == one <= 6
