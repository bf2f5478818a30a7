"""A search that somebody comes back to: typed, narrowed, kept as a view, and found again."""

import looks
import make
import pytest
from playwright.sync_api import expect

from daytwo_server.core import search

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]


@pytest.fixture
def deploys(bob):
    shop = make.project("Shop", slug="shop")
    rows = (("2.1.0", "production", "failed"), ("2.2.0", "production", "succeeded"), ("1.9.0", "staging", "failed"))
    made = [make.deploy(shop, version, environment=where, status=status) for version, where, status in rows]
    search.refresh("deploy", [one.pk for one in made])
    return made


def rows(page):
    return page.locator("tbody tr .row__title a")


@pytest.mark.parametrize("size", [{"width": 1440}, {"width": 390, "height": 844}], ids=["desk", "phone"])
def test_a_search_of_deploys_becomes_a_view_and_leads_back(visit, bob, deploys, size):
    page = visit("/deploys", bob, **size)
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("/")
    page.keyboard.type("environment:production version:2*")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(2)
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Apply").click()
    expect(rows(page)).to_have_text(["2.1.0"])
    chips = page.get_by_role("group", name="Filters")
    expect(chips.get_by_role("link")).to_have_count(3)

    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name").fill("Failed in production")
    page.get_by_role("button", name="Save view").click()
    tab = page.get_by_role("navigation", name="Saved views").get_by_role("link", name="Failed in production")
    expect(tab).to_have_attribute("aria-current", "page")
    assert looks.overflow(page) == 0

    chips.get_by_role("link", name="version is 2*").click()
    expect(chips.get_by_role("link")).to_have_count(2)
    page.get_by_role("navigation", name="Saved views").get_by_role("link", name="All").click()
    expect(rows(page)).to_have_count(3)
    tab.click()
    expect(rows(page)).to_have_text(["2.1.0"])
    expect(page.get_by_role("searchbox")).to_have_value("environment:production version:2*")
    page.reload()
    expect(rows(page)).to_have_text(["2.1.0"])
