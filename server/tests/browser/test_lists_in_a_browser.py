"""Every list of the product is worked in the same way, on a desk and on a phone."""

import datetime as dt

import looks
import make
import pytest
from journeys.furnished import browser, furnish, whole_pages
from playwright.sync_api import expect
from rooms.errors import happen

from daytwo_server.accounts.models import User
from daytwo_server.core import clock
from daytwo_server.errors.models import Issue, IssueUser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]

# Rows with somewhere to go that the keyboard does not reach.
UNREACHED = """[...document.querySelectorAll("main tbody > tr, main .rows .row")].filter((row) =>
  row.checkVisibility() && row.querySelector("a[href]") && !row.closest("[data-rows]")).map((row) => row.textContent.trim())"""
REACHED = "main :is([data-rows] .row, tbody[data-rows] > tr)"


def test_the_keyboard_reaches_every_row_that_leads_somewhere(visit, transactional_db, live_server):
    workspace = furnish()
    alice = User.objects.get(email="alice@example.com")
    page = visit("/errors", alice)
    unreached, walked = {}, 0
    for name, path, _ in whole_pages(browser(alice), workspace):
        page.goto(live_server.url + path)
        if found := page.evaluate(UNREACHED):
            unreached[name] = found
        # Beside a ticket j opens the next one of the queue; test_tickets_in_a_browser sees that.
        if page.locator(REACHED).count() == 0 or name == "tickets:ticket":
            continue
        walked += 1
        page.evaluate("document.activeElement.blur()")  # a search page begins in its box, where j is a letter
        page.keyboard.press("j")
        assert page.evaluate("!!document.activeElement.closest('[data-rows] .row, tbody[data-rows] > tr')"), name
        if page.locator("[data-ticks] " + REACHED).count():
            page.keyboard.press("x")
            expect(page.locator(".bulk").first).to_be_visible()
            page.keyboard.press("Escape")
    assert unreached == {}
    assert walked >= 5


# ---- The list of errors, as the first of them ----


@pytest.fixture
def many(bob):
    """Sixty errors: more than a page."""
    shop, now = make.project("Shop"), clock.now()
    for number in range(60):
        happen.issue(shop, f"Error{number}", at=now - dt.timedelta(minutes=number))
    return Issue.objects.order_by("-last_seen")


def test_all_that_match_are_resolved_at_once_and_undone_at_once(visit, bob, many):
    page = visit("/errors?level=error", bob)
    page.keyboard.press("Shift+A")
    page.get_by_label("All 60 that match").check()
    expect(page.locator(".bulk")).to_contain_text("60 selected")
    page.keyboard.press("e")
    expect(page.locator(".toast")).to_contain_text("60 errors resolved")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    assert set(Issue.objects.values_list("status", flat=True)) == {"resolved"}
    page.keyboard.press("z")
    expect(page.locator(".toast")).to_contain_text("60 changes undone")
    assert set(Issue.objects.values_list("status", flat=True)) == {"unresolved"}


def test_j_at_the_end_goes_on_with_the_next_page(visit, bob, many):
    page = visit("/errors", bob)
    page.locator("tbody a").last.focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.wait_for_url("**cursor=**")
    expect(page.locator("tbody a").first).to_be_focused()
    expect(page.locator("tbody a > b").first).to_have_text("Error50")


@looks.ON_BOTH
def test_an_error_is_looked_at_and_resolved_beside_the_list(visit, bob, many, width, height):
    first = many[0]
    page = visit("/errors", bob, width=width, height=height)
    page.keyboard.press("j")
    page.keyboard.press("o")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", level=1)).to_contain_text("Error0")
    assert page.url.endswith(f"?open=ERR-{first.pk}")
    looks.check_in_both_themes(page)
    page.keyboard.press("e")
    expect(drawer.get_by_role("button", name="Reopen")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Error0", exact=False)).to_have_count(0)
    expect(page.locator("tbody > tr")).to_have_count(50)
    page.go_back()
    first.refresh_from_db()
    assert first.status == "resolved"


def test_a_shared_address_opens_an_error_that_is_on_another_page(visit, bob, many):
    last = many[59]
    page = visit(f"/errors?open=ERR-{last.pk}", bob)
    expect(page.get_by_role("dialog").get_by_role("heading", level=1)).to_contain_text("Error59")


def test_a_customers_errors_are_looked_at_from_their_page(visit, bob, many):
    dana = make.dana()
    one = happen.issue(make.project("Blog"), user={"id": "dana"})
    IssueUser.objects.filter(issue=one).update(customer_id=dana.pk)
    page = visit(f"/customers/{dana.pk}/", bob)
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.get_by_role("dialog").get_by_role("heading", level=1)).to_contain_text("KeyError")
