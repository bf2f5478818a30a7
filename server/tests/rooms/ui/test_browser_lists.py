"""Working through a list: selecting, acting, going on, coming back. On a desk and on a phone, in both themes."""

import re
import urllib.parse

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FIRST, SECOND, THIRD = "Webhook deliveries failing", "Database connections", "Said in one sentence."
EVERYWHERE = pytest.mark.parametrize(
    "screen",
    [
        {"width": 1440, "height": 900, "color_scheme": "light"},
        {"width": 390, "height": 844, "color_scheme": "dark", "has_touch": True},
    ],
    ids=["desk, light", "phone, dark"],
)


def rows(page):
    return page.locator("[data-rows] .row")


def ticked(page):
    return [box.is_checked() for box in page.locator("[data-rows] input").all()]


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


def sent(request):
    return urllib.parse.parse_qs(request.post_data)


# ---- Selecting ----


@EVERYWHERE
def test_a_bar_appears_with_the_first_selected_row_and_says_how_many(visit, screen):
    page = visit(**screen)
    bar = page.locator(".bulk")
    expect(bar).to_be_hidden()
    page.get_by_label(f"Select {FIRST}").click()
    expect(bar).to_contain_text("1 selected")
    box = bar.bounding_box()
    assert box["y"] + box["height"] <= screen["height"], "it is in sight"
    bar.get_by_role("button", name="Clear the selection").click()
    expect(bar).to_be_hidden()


def test_shift_and_a_click_select_and_unselect_a_range(visit):
    page = visit()
    boxes = page.locator("[data-rows] input")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    assert ticked(page) == [True, True, True]
    boxes.nth(1).click()
    boxes.nth(0).click(modifiers=["Shift"])
    assert ticked(page) == [False, False, True]


def test_shift_x_selects_from_the_last_selected_row_to_this_one(visit):
    page = visit()
    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    assert ticked(page) == [True, True, True]
    expect(page.locator("[data-ticked]")).to_have_text("3")


def test_shift_j_and_shift_k_select_while_they_move(visit):
    page = visit()
    for key in ("j", "Shift+J"):
        page.keyboard.press(key)
    assert ticked(page) == [True, True, False]
    assert focused(page).startswith(SECOND)
    page.keyboard.press("Escape")
    assert ticked(page) == [False] * 3
    for key in ("j", "Shift+K", "Shift+K"):
        page.keyboard.press(key)
    assert ticked(page) == [True, True, True]


def test_one_box_or_shift_a_selects_the_page_and_shows_a_part_of_it_as_neither(visit):
    page = visit()
    head = page.get_by_label("Select all on this page")
    page.keyboard.press("Shift+A")
    assert ticked(page) == [True] * 3
    page.get_by_label(f"Select {FIRST}").click()
    assert head.evaluate("(box) => [box.checked, box.indeterminate]") == [False, True]
    head.click()
    assert ticked(page) == [True] * 3


@EVERYWHERE
def test_with_the_whole_page_selected_all_that_match_can_be_meant(visit, screen):
    page = visit(**screen)
    everything = page.get_by_label("All 214 that match")
    page.get_by_label(f"Select {FIRST}").click()
    expect(everything).to_be_hidden()
    page.get_by_label("Select all on this page").click()
    everything.check()
    expect(page.locator(".bulk")).to_contain_text("214 selected")
    page.get_by_label(f"Select {SECOND}").click()
    expect(page.locator(".bulk")).to_contain_text("2 selected")
    page.get_by_label(f"Select {SECOND}").click()
    everything.check()
    with page.expect_request("**/rows") as asked:
        page.locator(".bulk").get_by_role("button", name="Ignore").click()
    assert sent(asked.value)["every"] == ["9"]
    expect(rows(page)).to_have_count(0)


# ---- Acting ----


def test_a_key_acts_on_the_current_row_alone_and_on_the_selection_when_there_is_one(visit):
    page = visit()
    page.keyboard.press("h")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("j")
    with page.expect_request("**/rows") as asked:
        page.keyboard.press("h")
    assert sent(asked.value)["do"] == ["ignore:1"]
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("j")
    assert focused(page).startswith(SECOND)
    page.keyboard.press("x")
    with page.expect_request("**/rows") as asked:
        page.keyboard.press("h")
    assert sent(asked.value)["do"] == ["ignore"]
    expect(page.locator(".bulk")).to_be_hidden()


def test_a_row_gets_its_buttons_from_one_template_each_named_for_its_row(visit):
    page = visit()
    expect(rows(page).nth(1).get_by_role("button", name="Ignore ROW-2")).to_be_attached()
    assert page.locator("[data-rows] [data-key]").count() == 3
    page.evaluate("htmx.trigger(document.body, 'x')")
    assert page.locator("[data-rows] .act > button").count() == 6


def test_a_row_is_marked_at_once_and_restored_with_the_reason_and_a_retry(visit):
    page = visit(clean=False)
    release = []
    page.route("**/rows", lambda route: release.append(route))  # noqa: PLW0108 - it marks what it is given
    rows(page).first.hover()
    with page.expect_request("**/rows"):
        page.get_by_role("button", name="Ignore ROW-1").click()
    expect(rows(page).first).to_have_attribute("aria-busy", "true")
    assert page.locator("[data-rows] [aria-busy]").count() == 1
    release[0].fulfill(status=503, content_type="text/plain", body="The database is down. Nothing was changed.")
    toast = page.locator(".toast", has_text="The database is down. Nothing was changed.")
    expect(toast).to_be_visible()
    expect(page.locator("[data-rows] [aria-busy]")).to_have_count(0)
    page.unroute("**/rows")
    with page.expect_request("**/rows") as asked:
        toast.get_by_role("button", name="Retry").click()
    assert sent(asked.value)["do"] == ["ignore:1"], "the same button, not just the same form"
    expect(rows(page)).to_have_count(2)


def test_a_key_that_fails_is_told_as_a_click_is(visit):
    page = visit(clean=False)
    page.context.set_offline(True)
    page.keyboard.press("j")
    page.keyboard.press("h")
    expect(page.locator(".toast", has_text="did not answer")).to_be_visible()
    expect(page.locator("[data-rows] [aria-busy]")).to_have_count(0)
    page.context.set_offline(False)
    page.get_by_role("button", name="Retry").click()
    expect(rows(page)).to_have_count(2)


# ---- News ----


@pytest.mark.parametrize("where", ["hover", "focus"])
@EVERYWHERE
def test_news_move_no_row_from_under_a_pointer_or_the_focus(visit, where, screen):
    page = visit("/live", **screen)
    link = rows(page).nth(1).locator("a")
    getattr(link, where)()
    page.get_by_label(f"Select {FIRST}").check()
    before = [row.bounding_box() for row in rows(page).all()]
    page.evaluate("htmx.trigger('#live', 'changed')")
    expect(page.locator(".news a")).to_have_text("2 new. Show")
    assert [row.bounding_box() for row in rows(page).all()] == before
    assert ticked(page) == [True, False, False], "what is selected stays selected"
    if where == "focus":
        page.get_by_label(f"Select {FIRST}").evaluate("(box) => box.blur()")
        link.focus()
        expect(link).to_be_focused()


# ---- Going on and coming back ----


def test_j_past_the_end_goes_to_the_link_and_then_to_the_first_row_of_the_next_page(visit):
    page = visit()
    for _ in range(4):
        page.keyboard.press("j")
    assert focused(page) == "Older"
    page.keyboard.press("k")
    assert focused(page) == THIRD
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.wait_for_url("**/?quiet&older")
    expect(rows(page).first.locator("a")).to_be_focused()
    page.keyboard.press("k")
    assert focused(page) == "Newer"
    page.keyboard.press("k")
    page.wait_for_url("**/?quiet&newer")
    expect(rows(page).last.locator("a")).to_be_focused()


def test_a_key_that_is_held_down_stops_at_the_end_of_the_page(visit):
    page = visit()
    for _ in range(8):
        page.keyboard.down("j")
    page.keyboard.up("j")
    assert focused(page) == "Older"
    page.keyboard.press("j")
    page.wait_for_url("**/?quiet&older")


@EVERYWHERE
def test_back_brings_the_place_the_row_and_the_selection_again(visit, screen):
    page = visit(**screen)
    page.get_by_label(f"Select {SECOND}").click()
    page.evaluate("scrollTo(0, 200)")
    rows(page).nth(2).locator("a").focus()
    page.evaluate("scrollTo(0, 200)")
    left = page.evaluate("scrollY")
    page.keyboard.press("Enter")
    page.wait_for_url("**/row/3")
    page.go_back()
    expect(rows(page).nth(2).locator("a")).to_be_focused()
    assert ticked(page) == [False, True, False]
    expect(page.locator("[data-ticked]")).to_have_text("1")
    assert abs(page.evaluate("scrollY") - left) < 20


def test_an_undo_keeps_the_place(visit):
    page = visit()
    page.evaluate("scrollTo(0, 150)")
    page.keyboard.press("j")
    page.keyboard.press("h")
    expect(page.locator(".toast", has_text="ignore")).to_be_visible()
    page.evaluate("scrollTo(0, 150)")
    page.route("**/undo", lambda route: route.fulfill(status=302, headers={"Location": "/?quiet"}))
    page.keyboard.press("z")
    expect(rows(page)).to_have_count(3)
    expect(page.locator(".toast")).to_have_count(0)
    page.wait_for_function("() => Math.abs(scrollY - 150) < 2")


def test_a_page_behind_a_list_knows_its_neighbours(visit):
    page = visit()
    page.reload()
    expect(page.locator("[data-place]")).to_have_text("2 of 3")
    assert page.get_by_role("link", name="Next row").get_attribute("href") == "/row/3"


def test_a_filter_leaves_what_is_not_set_out_of_the_address(visit):
    page = visit()
    page.locator("[data-search]").fill("timeout")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?q=timeout$"))


@EVERYWHERE
def test_a_panel_opens_inside_the_screen_and_escape_or_a_click_elsewhere_closes_it(visit, screen):
    page = visit(**screen)
    page.locator("summary", has_text="Filter").click()
    panel = page.locator(".menu__panel")
    box = panel.bounding_box()
    assert 0 <= round(box["x"]) <= screen["width"] - box["width"]
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("summary", has_text="Filter")).to_be_focused()
    page.locator("summary", has_text="Filter").click()
    page.locator("#g-filter").click()
    expect(panel).to_be_hidden()


def test_a_list_is_worked_through_without_a_script(visit):
    page = visit(java_script_enabled=False, clean=False)  # the answer is a part, without an icon for its tab
    page.get_by_label(f"Select {FIRST}").check()
    page.locator(".bulk").get_by_role("button", name="Ignore").click()
    page.wait_for_url("**/rows")
    assert page.get_by_text(FIRST).count() == 0
