"""Deploys: what a pipeline tells by the API."""

import datetime as dt
import json
import threading

import make
import pytest
from django.db import connection
from django.test import Client

from daytwo_server.catalog import services
from daytwo_server.catalog.models import Deploy, Environment, Release
from daytwo_server.core import clock
from daytwo_server.core.live import versions
from daytwo_server.core.models import AuditEntry, Fact

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])
TOLD = {"project": "shop", "environment": "production", "version": "shop@1.4.0"}


class Pipeline:
    """A program with a token."""

    def __init__(self, token):
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def post(self, expected=201, key="", /, **told):
        headers = {"Idempotency-Key": key} if key else {}
        body = json.dumps(TOLD | told)
        answer = self.client.post("/api/v1/deploys", body, content_type="application/json", headers=headers)
        assert answer.status_code == expected, answer.content
        return answer.json()

    def patch(self, number, expected=200, /, **told):
        answer = self.client.patch(f"/api/v1/deploys/{number}", json.dumps(told), content_type="application/json")
        assert answer.status_code == expected, answer.content
        return answer.json()

    def get(self, path="", expected=200, /, **params):
        answer = self.client.get(f"/api/v1/deploys{path}", params)
        assert answer.status_code == expected, answer.content
        return answer.json()


@pytest.fixture
def shop(db):
    return make.project("Shop", slug="shop")


@pytest.fixture
def pipeline(bob, shop):
    return Pipeline(make.token(bob))


def test_one_call_at_the_end_of_a_pipeline_records_a_deploy_that_succeeded(pipeline, shop):
    before = clock.now()
    answer = pipeline.post(url="https://ci.example.com/runs/7")
    deploy = Deploy.objects.get()
    assert before <= deploy.started_at == deploy.finished_at <= clock.now()
    assert answer == {
        "id": deploy.pk, "project": "shop", "environment": "production", "version": "shop@1.4.0",
        "url": "https://ci.example.com/runs/7", "startedAt": answer["startedAt"], "finishedAt": answer["startedAt"],
        "status": "succeeded",
    }  # fmt: skip
    assert pipeline.get(f"/{deploy.pk}") == answer
    environment, release = Environment.objects.get(), Release.objects.get()
    assert (environment.name, environment.kind) == ("production", "production")
    assert (release.version, release.events, release.has_reported) == ("shop@1.4.0", 0, False)
    fact = {"deploy": deploy.pk, "project": shop.pk, "environment": environment.pk, "release": release.pk}
    assert [json.loads(data) for data in Fact.objects.values_list("data", flat=True)] == [fact]
    entry = AuditEntry.objects.get(action="catalog:deploy:recorded")
    assert (entry.actor_kind, entry.ref_id, json.loads(entry.after)["status"]) == ("token", str(deploy.pk), "succeeded")
    assert set(versions([services.DEPLOYS_TOPIC, services.project_topic(shop.pk)])) == {
        "catalog.deploys",
        f"catalog.project.{shop.pk}",
    }


def test_a_deploy_that_was_started_is_finished_by_the_same_call(pipeline):
    started = pipeline.post(status="started")
    assert (started["status"], started["finishedAt"]) == ("started", None)
    assert pipeline.post(200, status="started")["id"] == started["id"], "a retry of the start"
    done = pipeline.post(200, status="failed")
    assert (done["id"], done["startedAt"], done["status"]) == (started["id"], started["startedAt"], "failed")
    assert done["finishedAt"] >= done["startedAt"]
    assert Fact.objects.filter(name="DeployRecorded").count() == 1
    assert AuditEntry.objects.filter(action="catalog:deploy:changed").count() == 1
    again = pipeline.post()
    assert again["id"] != started["id"], "that one was over: this version went out once more"


def test_a_start_of_which_nobody_heard_again_is_not_taken_for_today(pipeline, shop):
    old = make.deploy(
        shop, "shop@1.4.0", status="started", finished_at=None, started_at=clock.now() - dt.timedelta(hours=25)
    )
    assert pipeline.post()["id"] != old.pk


def test_the_same_start_is_the_same_deploy_however_often_it_is_told(pipeline):
    at = "2026-11-23T10:00:00+01:00"
    first = pipeline.post(startedAt=at, finishedAt="2026-11-23T09:05:00Z")
    assert (first["startedAt"], first["finishedAt"]) == ("2026-11-23T09:00:00Z", "2026-11-23T09:05:00Z")
    assert pipeline.post(200, startedAt="2026-11-23T09:00:00Z") == first
    assert pipeline.post(startedAt="2026-11-23T09:00:01Z")["id"] != first["id"]
    assert pipeline.post(startedAt=at, environment="staging")["id"] != first["id"]
    assert Deploy.objects.count() == 3


def test_an_idempotency_key_names_one_deploy(pipeline):
    first = pipeline.post(201, "run-7")
    assert pipeline.post(200, "run-7") == first
    assert "Idempotency-Key" in pipeline.post(400, "run-7", version="2.0")["fields"]
    started = pipeline.post(201, "run-8", status="started", version="2.0")
    assert pipeline.post(200, "run-8b", version="2.0")["id"] == started["id"], "keys that differ with each request"
    assert pipeline.post(200, "run-8b", version="2.0")["id"] == started["id"], "and are sent again"


@pytest.mark.parametrize(
    ("told", "field", "words"),
    [
        ({"project": "nowhere"}, "project", "no project"),
        ({"project": "a\x00b"}, "project", "no project"),
        ({"environment": ""}, "environment", "empty"),
        ({"environment": "e" * 65}, "environment", "at most 64"),
        ({"version": "v" * 251}, "version", "at most 250"),
        ({"version": "1.0\n2"}, "version", "cannot be printed"),
        ({"version": "1.0\x00"}, "version", "cannot be printed"),
        ({"url": "javascript:alert(1)"}, "url", "https://"),
        ({"url": "https://"}, "url", "https://"),
        ({"url": "https://x.example/\x07"}, "url", "https://"),
        ({"url": "//x.example"}, "url", "https://"),
        ({"url": "https://x.example/" + "x" * 500}, "url", "at most 500"),
        ({"startedAt": "2026-11-23T09:00:00"}, "startedAt", "offset"),
        ({"startedAt": "2026-11-23"}, "startedAt", "offset"),
        ({"startedAt": "soon"}, "startedAt", "offset"),
        ({"startedAt": 1764000000}, "startedAt", "offset"),
        ({"startedAt": "0001-01-01T00:00:00+14:00"}, "startedAt", "offset"),
        ({"startedAt": "1999-12-31T00:00:00Z"}, "startedAt", "2000"),
        ({"startedAt": "2999-01-01T00:00:00Z"}, "startedAt", "future"),
        ({"startedAt": "2026-11-20T09:00:00Z", "finishedAt": "2026-11-20T08:59:59Z"}, "finishedAt", "before the start"),
        ({"finishedAt": "2026-11-20T09:00:00Z", "status": "started"}, "finishedAt", "no end yet"),
        ({"status": "cancelled"}, "status", "'started', 'succeeded' or 'failed'"),
        ({"enviroment": "production"}, "enviroment", "not permitted"),
        ({"version": None}, "version", "string"),
    ],
)
def test_what_cannot_be_is_refused_and_says_why(pipeline, told, field, words):
    answer = pipeline.post(400, **told)
    assert words in " ".join(answer["fields"][field]), answer
    assert Deploy.objects.count() == Environment.objects.count() == Release.objects.count() == 0


def test_everything_that_is_wrong_is_told_at_once(pipeline):
    answer = pipeline.post(400, project="nowhere", environment="e" * 65, url="ftp://x.example")
    assert set(answer["fields"]) == {"project", "environment", "url"}
    assert answer["detail"]


def test_a_key_that_is_too_long_and_a_body_that_is_no_json_are_refused(pipeline):
    assert "Idempotency-Key" in pipeline.post(400, "k" * 129)["fields"]
    answer = pipeline.client.post("/api/v1/deploys", "{", content_type="application/json")
    assert (answer.status_code, set(answer.json())) == (400, {"detail", "fields"})


def test_a_deploy_is_finished_and_corrected_by_its_id(pipeline):
    started = pipeline.post(status="started", startedAt="2026-11-23T09:00:00Z")
    number = started["id"]
    assert "finishedAt" in pipeline.patch(number, 400, status="failed", finishedAt="2026-11-23T08:00:00Z")["fields"]
    assert "url" in pipeline.patch(number, 400, url="javascript:alert(1)")["fields"]
    done = pipeline.patch(number, finishedAt="2026-11-23T09:10:00Z")
    assert (done["status"], done["finishedAt"]) == ("succeeded", "2026-11-23T09:10:00Z")
    bad = pipeline.patch(number, status="failed", url="https://ci.example.com/7")
    assert (bad["status"], bad["finishedAt"], bad["url"]) == ("failed", done["finishedAt"], "https://ci.example.com/7")
    assert "status" in pipeline.patch(number, 400, status="started")["fields"]
    assert pipeline.patch(number) == bad, "nothing named, nothing changed"
    assert AuditEntry.objects.filter(action="catalog:deploy:changed").count() == 2
    assert pipeline.patch(10**30, 404)["fields"] == {}


def test_deploys_are_listed_the_last_to_start_first_and_page_by_page(pipeline, shop):
    now = clock.now()
    numbers = [
        make.deploy(
            shop, f"{n}", environment=("production", "staging")[n % 2], started_at=now - dt.timedelta(hours=n)
        ).pk
        for n in range(7)
    ]
    make.deploy(make.project("Other", slug="other"), started_at=now - dt.timedelta(days=2))
    first = pipeline.get(project="shop", limit=4)
    rest = pipeline.get(project="shop", limit=4, cursor=first["next"])
    assert [one["id"] for one in first["results"] + rest["results"]] == numbers
    assert rest["next"] is None
    assert [one["id"] for one in pipeline.get(project="shop", environment="staging")["results"]] == numbers[1::2]
    assert len(pipeline.get()["results"]) == 8
    assert pipeline.get(status="failed")["results"] == []
    for params, field in [
        ({"project": "nowhere"}, "project"), ({"environment": "nowhere"}, "environment"), ({"status": "x"}, "status"),
        ({"cursor": "x"}, "cursor"), ({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"project": "\x00"}, "project"),
        ({"environment": "\x00"}, "environment"),
    ]:  # fmt: skip
        assert field in pipeline.get("", 400, **params)["fields"], params
    assert pipeline.get("/999999", 404)["detail"] == "There is no such deploy."


def test_a_project_that_is_archived_takes_no_deploys(pipeline, shop, bob):
    services.archive_project(shop, actor=bob)
    assert "archived" in pipeline.post(400)["fields"]["project"][0]


def test_the_first_event_of_a_deployed_release_announces_it_and_says_when_it_was_seen(pipeline, shop):
    pipeline.post(startedAt="2026-11-23T09:00:00Z")
    at = make.moment("2026-11-23T09:30:00")
    services.see([services.Sighting(project=shop.pk, at=at, environment="production", release="shop@1.4.0")])
    release = Release.objects.get()
    assert (release.first_seen, release.last_seen, release.events) == (at, at, 1)
    assert Fact.objects.filter(name="ReleaseSeen").count() == 1
    services.see([services.Sighting(project=shop.pk, at=at, environment="production", release="shop@1.4.0")])
    assert Release.objects.get().events == 2
    assert Fact.objects.filter(name="ReleaseSeen").count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])
def test_the_same_told_twice_at_once_is_one_deploy():
    token = make.token(make.bob())
    make.project("Shop", slug="shop")
    answers, start = [], threading.Barrier(4)

    def tell() -> None:
        start.wait()
        client = Client(headers={"Authorization": f"Bearer {token}"})
        body = json.dumps(TOLD | {"startedAt": "2026-11-23T09:00:00Z"})
        answers.append(client.post("/api/v1/deploys", body, content_type="application/json").status_code)
        connection.close()

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 200, 200, 201]
    assert Deploy.objects.count() == 1
