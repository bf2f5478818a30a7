"""Components, keys and deploys as people use them: with a mouse, with the keyboard, on a phone, without a script."""

import datetime as dt

import looks
import make
import pytest
from playwright.sync_api import expect
from rooms.errors import happen

from daytwo_server.catalog import services
from daytwo_server.catalog.models import Component, DsnKey, Environment, Project
from daytwo_server.core import clock

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]


@pytest.fixture
def shop(bob):
    """A project with two deploys, and an error that began after the second."""
    project, now = make.project("Shop", slug="shop", first_event_at=clock.now()), clock.now()
    key = make.key(project, label="Web")
    services.note_uses(
        {(key.public_key, int(now.timestamp()), True): 41, (key.public_key, int(now.timestamp()), False): 3}
    )
    make.deploy(project, "shop@2026.11.20-with-a-name-that-is-rather-long", started_at=now - dt.timedelta(hours=30))
    project.deploy = make.deploy(
        project, "shop@2026.11.23-1", started_at=now - dt.timedelta(hours=2), url="https://ci.example.com/7"
    )
    make.deploy(project, "shop@2026.11.23-2", environment="staging", status="started", finished_at=None)
    project.issue = happen.issue(
        project, "NewError", "x " * 90, at=now - dt.timedelta(hours=1), release="shop@2026.11.23-1"
    )
    make.component("Checkout API", project=project, team="Payments", description="Takes money. " * 20).owners.add(bob)
    return project


def test_bob_creates_a_component_and_puts_it_away_and_back(visit, bob):
    page = visit("/components", bob)
    page.get_by_role("link", name="New component").first.click()
    page.get_by_role("button", name="Create component").click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.get_by_label("Name").fill("Checkout API")
    page.get_by_label("Owners").fill("bob")
    page.get_by_label("Owners").fill(page.locator("datalist option").first.get_attribute("value") or "")
    page.get_by_role("button", name="Create component").click()
    page.wait_for_url("**/components/checkout-api")
    expect(page.locator("main").get_by_text("Bob")).to_be_visible()
    page.get_by_role("button", name="Archive").click()
    expect(page.locator(".toast")).to_contain_text("Checkout API is archived")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Edit")).to_be_visible()
    assert Component.objects.get().archived_at is None


def test_bob_replaces_a_key_and_takes_it_back(visit, bob, shop):
    page = visit("/projects/shop/", bob)
    expect(page.get_by_text("41 requests in 24 h")).to_be_visible()
    page.get_by_text("Change").click()
    page.get_by_role("link", name="Replace").click()
    page.get_by_label("Label").fill("Web 2027")
    page.get_by_role("button", name="Make the new key").click()
    page.wait_for_url("**/projects/shop/")
    expect(page.get_by_text("replaces Web")).to_be_visible()
    expect(page.get_by_text("Being replaced")).to_be_visible()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Being replaced")).to_have_count(0)
    assert dict(DsnKey.objects.values_list("label", "is_active")) == {"Web": True, "Web 2027": False}


def test_from_a_deploy_to_the_error_that_came_with_it_and_back(visit, bob, shop):
    page = visit("/deploys", bob)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("shop@2026.11.23-1")
    page.get_by_role("link", name="NewError").click()
    expect(page.get_by_text("1 h after deploy")).to_be_visible()
    page.get_by_role("link", name="2026.11.23-1", exact=True).first.click()
    page.wait_for_url(f"**/deploys/{shop.deploy.pk}")
    page.get_by_role("link", name="7 d").click()
    page.wait_for_url("**range=7d")


def test_the_list_of_deploys_is_filtered(visit, bob, shop):
    page = visit("/deploys", bob)
    page.keyboard.press("f")
    page.get_by_label("Environment").select_option("staging")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="remove this filter").click()
    expect(page.locator("tbody tr")).to_have_count(3)


def test_environments_are_hidden_without_a_script_too(visit, bob, shop):
    page = visit("/projects/shop/environments/", bob, java_script_enabled=False)
    page.get_by_label("Select staging").check()
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_label("Select staging")).to_have_count(0)
    assert Environment.objects.get(name="staging").hidden_at
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Select staging")).to_have_count(1)


def test_an_archived_project_is_accessible_and_fits_the_screen(visit, bob, shop):
    services.archive_project(Project.objects.get(slug="shop"), actor=bob)
    page = visit("/projects/shop/", bob)
    looks.check_everywhere(page, "archived")
