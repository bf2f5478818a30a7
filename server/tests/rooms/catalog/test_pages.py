import html
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import brotli
import make
import pytest
from django.test import Client

from daytwo_server.accounts import permissions
from daytwo_server.catalog import services
from daytwo_server.catalog.models import DsnKey, Project
from daytwo_server.catalog.snippets import SNIPPETS
from daytwo_server.core import conf

pytestmark = pytest.mark.django_db
PART = {"HX-Request-Type": "partial"}


def test_alice_creates_a_project_and_comes_to_its_keys(alice, signed_in):
    client = signed_in(alice)
    assert "No projects yet" in client.get("/projects/").text
    page = client.post("/projects/new/", {"name": "Shop"}, follow=True)
    assert page.redirect_chain == [("/projects/shop/", 302)]
    key = DsnKey.objects.get()
    assert f"http://{key.public_key}@testserver/{key.project_id}" in page.text
    assert "Shop" in client.get("/projects/").text
    by_htmx = client.post("/projects/new/", {"name": "Shop"}, headers=PART)
    assert (by_htmx.status_code, by_htmx["HX-Redirect"]) == (204, "/projects/shop-2/")


@pytest.mark.parametrize(
    ("name", "words"), [("", "required"), ("x" * 101, "at most 100"), ("a\u200bb", "cannot be printed")]
)
def test_a_wrong_name_is_told_beside_the_field(alice, signed_in, name, words):
    client = signed_in(alice)
    page, part = (
        client.post("/projects/new/", {"name": name}),
        client.post("/projects/new/", {"name": name}, headers=PART),
    )
    assert page.status_code == part.status_code == 422
    assert words in page.text
    assert words in part.text
    assert 'id="id_name_error"' in part.text
    assert part.text.lstrip().startswith("<form")
    assert Project.objects.count() == 0


def test_an_empty_project_shows_a_snippet_with_its_own_dsn(alice, signed_in):
    project = services.create_project("Shop", actor=alice)
    dsn = services.dsn(project.keys.get(), conf.current().public_url)
    client = signed_in(alice)
    for snippet in SNIPPETS:
        text = html.unescape(re.sub(r"<[^>]+>", "", client.get(f"/projects/shop/?sdk={snippet.key}").text))
        assert snippet.with_dsn(dsn).strip() in text
        assert snippet.install in text
        assert "Listening for the first event" in text


def test_a_snippet_never_names_a_key_that_is_off(alice, signed_in):
    project = services.create_project("Shop", actor=alice)
    services.set_key_active(project.keys.get(), False, actor=alice)
    assert "Every key is off" in signed_in(alice).get("/projects/shop/").text


def test_the_page_listens_until_the_first_event_is_there(alice, signed_in):
    project = services.create_project("Shop", actor=alice)
    client = signed_in(alice)
    assert 'hx-get="/projects/shop/" hx-trigger="every 2s"' in client.get("/projects/shop/?sdk=node").text
    waiting = client.get("/projects/shop/", headers=PART)
    assert (waiting.status_code, waiting.content) == (204, b""), "nothing is swapped under somebody's selection"
    services.see([services.Sighting(project=project.pk, at=make.moment(), environment="production", release="1.0")])
    there = client.get("/projects/shop/", headers=PART)
    assert there.text.startswith('<section class="card" id="onboarding">')
    assert "The first event arrived" in there.text
    assert "hx-get" not in there.text
    assert 'href="/errors?project=shop"' in there.text
    page = client.get("/projects/shop/").text
    assert "Send a first event" not in page
    assert "production" in page
    assert "1.0" in page


class _Sink(BaseHTTPRequestHandler):
    """Takes what an SDK sends, as intake would."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "br":
            body = brotli.decompress(body)
        self.server.got.append((self.path, self.headers["X-Sentry-Auth"], body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass


def test_the_python_snippet_as_it_stands_reports_an_error_by_the_projects_key():
    key = make.key()
    with HTTPServer(("127.0.0.1", 0), _Sink) as sink:
        sink.got = []
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        code = SNIPPETS[0].with_dsn(services.dsn(key, f"http://127.0.0.1:{sink.server_port}/daytwo"))
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
        sink.shutdown()
    assert ran.returncode == 0, ran.stderr
    path, auth, body = sink.got[0]
    assert path == f"/daytwo/api/{key.project_id}/envelope/"
    assert f"sentry_key={key.public_key}" in auth
    event = json.loads(body.split(b"\n")[2])
    assert (event["environment"], event["release"]) == ("production", "1.0.0")
    assert event["exception"]["values"][0]["value"] == "Hello from Python"


def test_disabling_a_key_offers_its_undo(alice, signed_in):
    project = make.project("Shop")
    key = make.key(project, label="Web")
    client = signed_in(alice)
    page = client.post(f"/projects/shop/keys/{key.pk}/disable/", follow=True)
    assert "Web lets no more events in" in page.text
    assert f'action="/projects/shop/keys/{key.pk}/enable/"' in page.text
    assert not DsnKey.objects.get().is_active
    client.post(f"/projects/shop/keys/{key.pk}/enable/")
    assert DsnKey.objects.get().is_active


def test_another_key_can_be_made_and_limited(alice, signed_in):
    make.project("Shop")
    client = signed_in(alice)
    assert client.post("/projects/shop/keys/", {"label": ""}, headers=PART).status_code == 422
    assert client.post("/projects/shop/keys/", {"label": " "}).status_code == 422
    assert client.post("/projects/shop/keys/", {"label": "mobile"})["Location"] == "/projects/shop/"
    key = DsnKey.objects.get()
    url = f"/projects/shop/keys/{key.pk}/"
    wrong = client.post(url, {"allowed_origins": "https://a.example\nb.example", "rate_per_s": "5"}, headers=PART)
    assert wrong.status_code == 422
    assert "b.example is no origin" in wrong.text
    assert client.post(url, {"rate_per_s": "0"}).status_code == 422
    client.post(url, {"allowed_origins": "https://a.example/\n\n*", "rate_per_s": "5", "burst": ""})
    key.refresh_from_db()
    assert (key.allowed_origins, key.rate_per_s, key.burst) == (["https://a.example", "*"], 5, None)
    assert "https://a.example" in client.get(url).text


PAGES = ["/projects/", "/projects/shop/", "/projects/shop/keys/{key}/"]
WRITES = [
    "/projects/shop/keys/",
    "/projects/shop/keys/{key}/disable/",
    "/projects/shop/keys/{key}/enable/",
]


@pytest.fixture
def key():
    return make.key(make.project("Shop")).pk


@pytest.mark.parametrize("path", PAGES)
def test_charlie_sees_no_page_and_visitors_sign_in_first(charlie, signed_in, key, path):
    path = path.format(key=key)
    assert signed_in(charlie).get(path).status_code == 404
    assert Client().get(path)["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", WRITES)
def test_a_viewer_sees_all_and_changes_nothing(signed_in, key, path):
    client = signed_in(make.member(role="viewer"))
    answer = client.post(path.format(key=key), {"name": "x", "label": "x"})
    assert answer.status_code == 403
    assert "Owner, Admin or Engineer" in answer.text
    assert DsnKey.objects.get().is_active
    assert Project.objects.count() == DsnKey.objects.count() == 1


def test_what_a_viewer_may_not_do_is_not_offered(signed_in, key):
    client = signed_in(make.member(role="viewer"))
    for path in ("/projects/", "/projects/shop/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]


def test_a_write_is_no_link(alice, signed_in, key):
    for path in WRITES:
        assert signed_in(alice).get(path.format(key=key)).status_code == 405


def test_a_key_is_reached_only_through_its_own_project(alice, signed_in, key):
    make.project("Other")
    client = signed_in(alice)
    assert client.get(f"/projects/other/keys/{key}/").status_code == 404
    assert client.post(f"/projects/other/keys/{key}/disable/").status_code == 404
    assert client.get("/projects/nowhere/").status_code == 404


def test_pages_cost_the_same_however_much_there_is(alice, signed_in, django_assert_num_queries):
    client = signed_in(alice)
    projects = [make.project() for _ in range(5)]
    for n in range(30):
        make.key(projects[0])
        make.environment(projects[0], f"env-{n}")
        make.release(projects[0], f"{n}")
    with django_assert_num_queries(3):  # session, viewer, projects with their keys counted
        client.get("/projects/")
    # session, viewer, project, keys, their uses, environments, releases, names that were too many
    with django_assert_num_queries(8):
        page = client.get(f"/projects/{projects[0].slug}/")
    assert page.text.count("Copy the DSN") == 30


def test_the_api_lists_projects_with_their_dsn(alice, client):
    shop = services.create_project("Shop", actor=alice)
    off = make.key(make.project("Old", first_event_at=make.moment()), is_active=False)
    answer = client.get("/api/v1/projects", headers={"Authorization": f"Bearer {make.token(alice)}"})
    assert answer.status_code == 200
    assert answer.json()["next"] is None
    old, new = answer.json()["results"]
    assert old | {"createdAt": ""} == {
        "id": off.project_id, "name": "Old", "slug": "old", "platform": "", "createdAt": "",
        "firstEventAt": "2026-11-23T09:00:00Z", "archivedAt": None, "dsn": None,
    }  # fmt: skip
    assert new["dsn"] == services.dsn(shop.keys.get(), "http://testserver")
    assert new["firstEventAt"] is None


def test_the_api_asks_for_a_token_that_may(alice, client, django_assert_num_queries):
    def ask(raw: str = "", **headers: str):
        return client.get("/api/v1/projects", headers={"Authorization": f"Bearer {raw}"} if raw else headers)

    assert ask().status_code == 401
    assert ask("dt_00000000_" + "x" * 43).status_code == 401
    refused = ask(make.token(alice, scopes=("customers.view",)))
    assert refused.status_code == 403
    assert "projects.view" in refused.json()["detail"]
    assert ask(make.token(make.charlie())).status_code == 403, "his token has every scope, but he is no member"
    client.force_login(alice)
    assert ask().status_code == 401, "a browser's session is no token"
    assert ask(make.token(scopes=(permissions.ALL_SCOPES,))).status_code == 200


def test_the_api_costs_the_same_for_many_projects(client, django_assert_num_queries):
    token = make.token()
    for _ in range(10):
        make.key()
    client.get("/api/v1/projects", headers={"Authorization": f"Bearer {token}"})
    with django_assert_num_queries(3):  # token, projects, keys
        client.get("/api/v1/projects", headers={"Authorization": f"Bearer {token}"})
