"""Settings as people change them: saving, undoing, two at once, and being asked before data goes."""

import datetime as dt

import looks
import make
import pytest
from playwright.sync_api import expect
from rooms.errors import happen

from daytwo_server.core import clock, preferences, retention
from daytwo_server.core.jobs import run_due_jobs

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]


@pytest.fixture
def alice(transactional_db):
    return make.alice()


@pytest.fixture
def carol(transactional_db):
    """Another admin."""
    return make.member("Carol", role=make.Role.ADMIN)


def old_errors(*days):
    shop = make.project("Shop")
    for n, age in enumerate(days):
        at = clock.now() - dt.timedelta(days=age)
        happen.issue(shop, f"Error{n}", at=at, timestamp=at.timestamp())


def test_changed_settings_are_for_everybody_in_any_light_and_on_a_phone(visit, live_server, alice):
    old_errors(100, 3)
    preferences.change({"ingest_rate": "500", "scrub_keys": "iban"}, versions={}, actor=alice)
    retention.run_now()
    run_due_jobs(tick=False)
    page = visit("/settings/general/", alice)
    for name in ("intake", "retention", "privacy"):
        page.goto(f"{live_server.url}/settings/{name}/")
        looks.check_everywhere(page, name)


def test_saving_says_so_and_undo_takes_it_back(visit, alice):
    page = visit("/settings/intake/", alice)
    page.get_by_label("Requests a second").fill("500")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Requests a second saved")
    expect(page.locator("#ingest_rate_helptext")).to_contain_text("Changed here by Alice")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Requests a second")).to_have_value("")
    assert preferences.sources()["ingest_rate"].value == 2000


def test_enter_saves_and_never_presses_back_to_default(visit, alice):
    preferences.change({"ingest_rate": "500"}, versions={}, actor=alice)
    page = visit("/settings/intake/", alice)
    page.get_by_label("Requests at once").fill("77")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Requests at once saved")
    assert preferences.sources()["ingest_rate"].value == 500
    page.get_by_role("button", name="Requests a second: back to default").click()
    expect(page.get_by_label("Requests a second")).to_have_value("")
    assert (preferences.sources()["ingest_rate"].value, preferences.sources()["ingest_burst"].value) == (2000, 77)


def test_the_second_of_two_editors_keeps_what_was_typed_and_decides(visit, alice, carol):
    hers, his = visit("/settings/intake/", alice), visit("/settings/intake/", carol)
    hers.get_by_label("Requests a second").fill("500")
    hers.get_by_role("button", name="Save").click()
    expect(hers.locator(".toast")).to_contain_text("saved")
    his.get_by_label("Requests a second").fill("900")
    his.get_by_label("Requests at once").fill("10")
    his.get_by_role("button", name="Save").click()
    expect(his.get_by_text("Alice set it to 500 meanwhile. Save again to make it 900.")).to_be_visible()
    expect(his.get_by_label("Requests at once")).to_have_value("10")
    looks.check(his, "conflict")
    his.get_by_role("button", name="Save").click()
    expect(his.locator(".toast")).to_contain_text("2 settings saved")
    assert (preferences.sources()["ingest_rate"].value, preferences.sources()["ingest_burst"].value) == (900, 10)


@looks.ON_BOTH
def test_data_goes_only_after_it_was_said_what(visit, alice, width, height):
    old_errors(40, 50, 3)
    page = visit("/settings/retention/", alice, width=width, height=height)
    page.get_by_label("Errors", exact=True).fill("30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Errors, kept for 30 days: about 2 events")).to_be_visible()
    looks.check(page, "asked")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_label("Errors", exact=True)).to_have_value("")
    page.get_by_label("Errors", exact=True).fill("30")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Shorten and remove").click()
    expect(page.locator(".toast")).to_contain_text("Errors saved")
    assert preferences.sources()["retention_events_days"].value == 30
