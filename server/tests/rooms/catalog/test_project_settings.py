"""Renaming a project, and putting it away."""

import json

import make
import pytest

from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.models import Project
from daytwo_server.core.models import AuditEntry

pytestmark = pytest.mark.django_db
PART = {"HX-Request-Type": "partial"}


@pytest.fixture
def shop(db):
    project = make.project("Shop")
    make.key(project)
    return project


def test_a_renamed_project_keeps_its_address(shop, alice, signed_in):
    client = signed_in(alice)
    client.post("/projects/shop/settings/", {"name": "Store", "platform": "python"})
    project = Project.objects.get()
    assert (project.name, project.slug, project.platform) == ("Store", "shop", "python")
    assert "<h1>Store</h1>" in client.get("/projects/shop/").text
    before, after = AuditEntry.objects.filter(action="catalog:project:changed").values_list("before", "after").get()
    assert (json.loads(before)["name"], json.loads(after)["name"]) == ("Shop", "Store")
    assert client.post("/projects/shop/settings/", {"name": ""}, headers=PART).status_code == 422
    assert client.post("/projects/shop/settings/", {"name": "a\x07", "platform": ""}).status_code == 422


def test_setup_finds_a_project_that_was_renamed_since(shop, alice):
    services.change_project(shop, name="Store", platform="", actor=alice)
    assert services.ensure_project("Shop").pk == shop.pk
    assert services.ensure_project("Store").pk == shop.pk
    other = make.project("Web", slug="web-2")
    assert services.ensure_project("web 2").pk != other.pk, "it was never called so"


def test_an_archived_project_leaves_the_lists_and_comes_back_by_undo(shop, alice, signed_in):
    client = signed_in(alice)
    page = client.post("/projects/shop/archive/", follow=True)
    assert "its events are refused" in page.text
    assert 'action="/projects/shop/restore/"' in page.text
    assert "Archived" in page.text
    assert "Create key" not in page.text
    assert "Shop" not in client.get("/projects/").text.partition("<main")[2].partition("</main>")[0]
    assert "Shop" in client.get("/projects/?archived=1").text
    assert {row.archived for row in selectors.key_table().values()} == {True}
    assert selectors.projects_to_choose() == []
    client.post("/projects/shop/restore/")
    assert {row.archived for row in selectors.key_table().values()} == {False}
    actions = AuditEntry.objects.filter(action__startswith="catalog:project:").values_list("action", flat=True)
    assert set(actions) == {"catalog:project:archived", "catalog:project:restored"}


def test_a_form_for_a_new_project_stands_on_a_page_of_its_own(alice, bob, signed_in):
    page = signed_in(bob).get("/projects/new/")
    assert page.status_code == 200
    assert 'action="/projects/new/"' in page.text
    viewer = signed_in(make.member(role="viewer"))
    assert viewer.get("/projects/new/").status_code == 403
    assert "New project" not in viewer.get("/projects/").text.partition("<main")[2]


def test_what_stands_beside_the_keys_follows_the_first_event(shop, alice, signed_in):
    client = signed_in(alice)
    assert "None seen yet" in client.get("/projects/shop/").text
    services.see([services.Sighting(project=shop.pk, at=make.moment(), environment="production", release="1.0")])
    flipped = client.get("/projects/shop/", headers=PART)
    assert flipped["HX-Trigger"] == "seen"
    aside = client.get("/projects/shop/seen/").text
    assert aside.lstrip().startswith('<aside class="stack" id="seen"')
    assert 'hx-trigger="changed from:#live throttle:3s, seen from:body"' in aside
    assert "production" in aside
    assert "1.0" in aside
    assert "None seen yet" not in aside
