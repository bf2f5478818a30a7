"""Every list of the product is worked in the same way, on a desk and on a phone, and fits the screen and the paper."""

import datetime as dt

import make
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.test_errors_in_a_browser import OVERFLOW, RULES
from journeys.test_who_may_see_what import PAGES, address, furnish
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


@pytest.fixture
def furnished(transactional_db):
    workspace = furnish()
    workspace["owner"] = User.objects.get(email="alice@example.com")
    return workspace


def pages(workspace):
    return [(name, address(name, workspace)) for name, page in PAGES.items() if page.read is not None]


def html_pages(page, base, workspace):
    for name, path in pages(workspace):
        answer = page.request.get(base + path)
        if answer.headers.get("content-type", "").startswith("text/html") and "<main" in answer.text():
            page.goto(base + path)
            yield name


def test_the_keyboard_reaches_every_row_that_leads_somewhere(visit, furnished, live_server):
    page = visit("/errors", furnished["owner"])
    unreached, walked = {}, 0
    for name in html_pages(page, live_server.url, furnished):
        if found := page.evaluate(UNREACHED):
            unreached[name] = found
        if page.locator(REACHED).count() == 0:
            continue
        walked += 1
        page.keyboard.press("j")
        assert page.evaluate("!!document.activeElement.closest('[data-rows] .row, tbody[data-rows] > tr')"), name
        if page.locator("[data-ticks] " + REACHED).count():
            page.keyboard.press("x")
            expect(page.locator(".bulk").first).to_be_visible()
            page.keyboard.press("Escape")
    assert unreached == {}
    assert walked >= 5


@pytest.mark.parametrize("width", [320, 640])
def test_no_page_is_wider_than_a_small_phone_or_a_screen_at_double_size(visit, furnished, live_server, width):
    page = visit("/errors", furnished["owner"], width=width, height=720)
    wide = {}
    for name in html_pages(page, live_server.url, furnished):
        if overflow := page.evaluate(OVERFLOW):
            wide[name] = overflow
    assert wide == {}


def test_every_page_prints_its_content_and_no_controls(visit, furnished, live_server):
    page = visit("/errors", furnished["owner"], color_scheme="dark")
    page.emulate_media(media="print")
    for name in html_pages(page, live_server.url, furnished):
        assert page.locator("main").is_visible(), name
        shown = page.locator(".button, .shell__nav, .topbar, .tabbar, .bulk").evaluate_all(
            "(found) => found.filter((one) => one.checkVisibility()).map((one) => one.className)"
        )
        assert (name, shown) == (name, [])
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", name


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


@pytest.mark.parametrize("screen", [{"width": 1440, "height": 900}, {"width": 390, "height": 844}])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_error_is_looked_at_and_resolved_beside_the_list(visit, bob, many, screen, theme):
    first = many[0]
    page = visit("/errors", bob, color_scheme=theme, **screen)
    page.keyboard.press("j")
    page.keyboard.press("o")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", level=1)).to_contain_text("Error0")
    assert page.url.endswith(f"?open=ERR-{first.pk}")
    page.evaluate("document.fonts.ready.then(() => true)")
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate(OVERFLOW) == 0
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
