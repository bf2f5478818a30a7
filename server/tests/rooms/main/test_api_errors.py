"""What the API answers when it cannot do what was asked: always JSON of one shape."""

import make
import pytest

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_wrong_method_is_refused_in_json_and_told_which_are_possible(client, method):
    answer = getattr(client, method)("/api/v1/projects", headers={"Authorization": f"Bearer {make.token()}"})
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/json"
    assert "GET" in answer["Allow"]
    assert answer.json() == {"detail": f"{method.upper()} is not possible here; {answer['Allow']} is.", "fields": {}}


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1/", "/api/v2/projects", "/api/", "/api/v1/issues/1/nothing"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_path_is_answered_in_json(client, path, method):
    answer = getattr(client, method)(path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is nothing at this address.", "fields": {}}


def test_a_page_keeps_its_own_words_for_a_wrong_method(client):
    answer = client.post("/settings/")
    assert answer["Content-Type"] != "application/json"


def test_projects_are_listed_like_everything_else(client):
    make.project("Shop")
    answer = client.get("/api/v1/projects", headers={"Authorization": f"Bearer {make.token()}"}).json()
    assert [project["slug"] for project in answer["results"]] == ["shop"]
    assert answer["next"] is None
