"""Looking at a row beside its list."""

import re

import looks
import pytest
from playwright.sync_api import expect
from rooms.ui.test_browser_lists import EVERYWHERE, focused, rows

pytestmark = pytest.mark.browser


def drawer(page):
    return page.get_by_role("dialog")


@pytest.mark.parametrize("key", ["o", "Space"])
def test_o_and_space_open_the_row_beside_its_list_and_back_closes_it(visit, key):
    page = visit()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press(key)
    expect(drawer(page).get_by_role("heading", name="Row 2")).to_be_visible()
    assert page.url.endswith("/?quiet=&open=ROW-2")
    page.go_back()
    expect(drawer(page)).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/\?quiet$"))
    assert focused(page).startswith("Database connections")
    page.go_forward()
    expect(drawer(page).get_by_role("heading", name="Row 2")).to_be_visible()


@EVERYWHERE
def test_the_drawer_fits_the_screen_is_accessible_and_keeps_the_focus_inside(visit, screen):
    page = visit(**screen)
    page.locator("a[data-drawer]").click()
    expect(drawer(page).get_by_role("heading", name="Row 7")).to_be_visible()
    looks.check(page)
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#drawer')")
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    expect(page.locator("a[data-drawer]")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/\?quiet$"))


def test_an_address_with_open_shows_the_drawer_and_closing_it_leaves_the_list(visit):
    page = visit("/?quiet=&open=ROW-3")
    expect(drawer(page).get_by_role("heading", name="Row 3")).to_be_visible()
    drawer(page).get_by_role("button", name="Close").click()
    expect(drawer(page)).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/\?quiet=$"))


def test_j_and_k_go_through_the_rows_and_the_focus_returns_to_the_last_one(visit):
    page = visit()
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(drawer(page).get_by_role("heading", name="Row 1")).to_be_visible()
    page.keyboard.press("j")
    expect(drawer(page).get_by_role("heading", name="Row 2")).to_be_visible()
    page.keyboard.press("j")
    expect(drawer(page).get_by_role("heading", name="Row 3")).to_be_visible()
    page.keyboard.press("k")
    expect(drawer(page).get_by_role("heading", name="Row 2")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("t")
    assert "page=" not in page.url, "the keys of the page below do nothing here"
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    assert focused(page).startswith("Database connections")
    expect(page).to_have_url(re.compile(r"/\?quiet$"))


def test_what_cannot_be_shown_beside_the_list_is_shown_as_the_page_it_is(visit):
    page = visit(clean=False)
    page.evaluate("document.querySelector('a[data-drawer]').href = '/row/404'")
    page.locator("a[data-drawer]").click()
    page.wait_for_url("**/row/404")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_a_server_that_is_away_closes_the_drawer_says_so_and_can_be_asked_again(visit):
    page = visit(clean=False)
    page.context.set_offline(True)
    page.locator("a[data-drawer]").click()
    expect(page.locator(".toast", has_text="did not answer")).to_be_visible()
    expect(drawer(page)).to_be_hidden()
    page.context.set_offline(False)
    page.get_by_role("button", name="Retry").click()
    expect(drawer(page).get_by_role("heading", name="Row 7")).to_be_visible()


def test_what_was_changed_in_the_drawer_makes_the_list_ask_anew(visit):
    page = visit()
    page.evaluate("document.body.addEventListener('stale', () => { window.stale = (window.stale ?? 0) + 1; })")
    page.locator("a[data-drawer]").click()
    with page.expect_response("**/done"):
        drawer(page).get_by_role("button", name="Do").click()
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    page.wait_for_function("() => window.stale === 1")
    page.locator("a[data-drawer]").click()
    expect(drawer(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    assert page.evaluate("window.stale") == 1


def test_a_drawer_closed_before_the_answer_is_there_makes_the_list_ask_when_it_is(visit):
    page = visit()
    page.evaluate("document.body.addEventListener('stale', () => { window.stale = (window.stale ?? 0) + 1; })")
    held = looks.holding(page, "/done$")
    page.locator("a[data-drawer]").click()
    with page.expect_request("**/done"):
        drawer(page).get_by_role("button", name="Do").click()
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    assert page.evaluate("window.stale") is None
    held[0].continue_()
    page.wait_for_function("() => window.stale === 1")


def test_without_a_script_the_link_is_the_page(visit):
    page = visit(java_script_enabled=False)
    page.locator("a[data-drawer]").click()
    page.wait_for_url("**/row/7")
    expect(page.get_by_role("heading", name="Row 7")).to_be_visible()


def test_the_buttons_of_a_row_open_it_for_a_mouse(visit):
    page = visit()
    rows(page).first.hover()
    page.get_by_role("button", name="Look at ROW-1").click()
    expect(drawer(page).get_by_role("heading", name="Row 1")).to_be_visible()
