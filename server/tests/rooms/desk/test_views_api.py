"""Saved views for programs."""

import json

import make
import pytest
from django.test import Client

from daytwo_server.desk.models import SavedView

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


def api(token, method, path, body=None):
    client = Client(headers={"Authorization": f"Bearer {token}"})
    raw = json.dumps(body) if body is not None else b""
    return client.generic(method, f"/api/v1/views{path}", raw, content_type="application/json")


URGENT = {"page": "tickets", "name": "Urgent", "query": "priority=urgent&cursor=abc"}


def test_a_view_that_a_program_saves_is_a_tab(bob, signed_in):
    made = api(make.token(bob), "POST", "", URGENT)
    assert (made.status_code, made.json()["query"]) == (201, "priority=urgent")
    assert "?priority=urgent" in signed_in(bob).get("/tickets").text
    assert [one["name"] for one in api(make.token(bob), "GET", "?page=tickets").json()["results"]] == ["Urgent"]
    assert api(make.token(bob), "GET", "?page=errors").json()["results"] == []


def test_views_are_renamed_shared_and_deleted(bob):
    token = make.token(bob)
    path = f"/{api(token, 'POST', '', URGENT).json()['id']}"
    assert api(token, "PATCH", path, {"name": "Hot", "shared": True}).json() | {"id": 0} == {
        "id": 0, "page": "tickets", "name": "Hot", "query": "priority=urgent", "shared": True, "owner": "bob@example.com",
    }  # fmt: skip
    assert api(token, "DELETE", path).status_code == 204
    assert SavedView.objects.get().deleted_at
    assert api(token, "DELETE", path).status_code == 404


def test_another_ones_own_view_is_not_there_and_a_shared_one_is_for_those_who_tidy_up(bob, alice):
    own = api(make.token(alice), "POST", "", URGENT).json()["id"]
    assert api(make.token(bob), "PATCH", f"/{own}", {"name": "Hot"}).status_code == 404
    api(make.token(alice), "PATCH", f"/{own}", {"shared": True})
    assert api(make.token(bob), "PATCH", f"/{own}", {"name": "Hot"}).status_code == 403


def test_sharing_needs_the_role_for_it():
    viewer = make.token(make.member("Vic"))
    assert api(viewer, "POST", "", URGENT | {"shared": True}).status_code == 403
    assert api(viewer, "POST", "", URGENT).status_code == 201


@pytest.mark.parametrize("odd", [{"page": "Not a list"}, {"name": " "}, {"query": "a=" + "b" * 3000}])
def test_what_cannot_be_kept_is_said(bob, odd):
    answer = api(make.token(bob), "POST", "", URGENT | odd)
    assert answer.status_code == 400
    assert answer.json()["fields"]
