"""What the scripts add, and that pages work without them."""

import datetime as dt
import re
import time

import pytest
from playwright.sync_api import expect

from daytwo_server.ui import formats

pytestmark = pytest.mark.browser


def toast(page, text):
    return page.locator(".toast", has_text=text)


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


# ---- Keyboard ----


def test_j_and_k_move_between_rows_and_enter_opens_the_row(visit):
    page = visit()
    page.keyboard.press("j")
    assert focused(page) == "Webhook deliveries failing for 4 customers"
    page.keyboard.press("j")
    assert focused(page) == "Database connections at 86% of the pool"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/row/1")


def test_j_after_the_last_row_reaches_the_link_to_older_rows(visit):
    page = visit()
    for _ in range(4):
        page.keyboard.press("j")
    assert focused(page) == "Older"


def test_j_goes_on_where_a_row_was_dealt_with(visit):
    page = visit()
    page.keyboard.press("j")
    page.evaluate("document.querySelector('[data-rows] > li').remove()")
    page.keyboard.press("j")
    assert focused(page) == "Database connections at 86% of the pool"


def test_no_key_fires_while_somebody_types(visit):
    page = visit()
    page.keyboard.press("/")
    page.keyboard.type("j?gt")
    assert page.locator("[data-search]").input_value() == "j?gt"
    assert page.locator("dialog[open]").count() == 0
    assert "page=" not in page.url


def test_g_and_a_letter_follow_a_navigation_link(visit):
    page = visit()
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(r"/\?page=faults$"))


def test_the_sheet_lists_the_keys_of_this_page_and_each_of_them_works(visit):
    page = visit()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    entries = sheet.locator(".shortcuts > div").all()
    lines = {" ".join(entry.locator("kbd").all_inner_texts()): entry.inner_text() for entry in entries}
    assert set(lines) == {
        "j", "k", "Enter", "o", "Space", "x", "Shift x", "Shift j", "Shift k", "Shift a",
        "h", "e", "f", "/", "?", "g t", "g i", "g e",
    }  # fmt: skip
    assert "Ignore the row" in lines["h"]
    assert "Faults" in lines["g e"]
    page.keyboard.press("j")
    assert focused(page) != "Webhook deliveries failing for 4 customers"
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_a_page_without_rows_or_search_promises_no_keys_for_them(visit):
    page = visit("/error/404", clean=False)
    page.keyboard.press("?")
    assert page.locator("dialog kbd").all_inner_texts() == ["?"]


def test_single_letters_can_be_switched_off(visit):
    page = visit("/?quiet&keys_off")
    page.keyboard.press("j")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("document.activeElement === document.body")


# ---- Toasts ----


def test_a_toast_leaves_after_six_seconds_and_an_error_stays_until_dismissed(visit):
    page = visit("/?x")
    page.clock.install()
    page.reload()
    page.clock.run_for(5500)
    assert toast(page, "Archived").is_visible()
    page.clock.run_for(1000)
    assert not toast(page, "Archived").is_visible()
    error = toast(page, "Said in one sentence.")
    assert error.is_visible()
    error.get_by_role("button", name="Dismiss").click()
    assert error.count() == 0


def test_a_toast_waits_under_the_pointer_and_under_the_focus(visit):
    page = visit("/?x")
    page.clock.install()
    page.reload()
    toast(page, "Archived").hover()
    page.clock.run_for(20_000)
    assert toast(page, "Archived").is_visible()
    toast(page, "Archived").get_by_role("button", name="Undo").focus()
    page.mouse.move(10, 10)
    page.clock.run_for(20_000)
    assert toast(page, "Archived").is_visible()
    page.locator("#main").focus()
    page.clock.run_for(7000)
    assert not toast(page, "Archived").is_visible()


def test_z_presses_undo_even_when_the_toast_is_out_of_sight(visit):
    page = visit("/?x")
    page.clock.install()
    page.reload()
    page.clock.run_for(30_000)
    assert not toast(page, "Archived").is_visible()
    page.keyboard.press("z")
    page.wait_for_url("**/?quiet&undone=POST")


def test_z_does_nothing_a_minute_later(visit):
    page = visit("/?x")
    page.clock.install()
    page.reload()
    page.clock.run_for(61_000)
    assert toast(page, "Archived").count() == 0


def test_an_answer_to_htmx_brings_its_toast_with_undo(visit):
    page = visit()
    page.locator("#done").click()
    toast(page, "Done … as asked").get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(r"/\?quiet&undone=POST$"))


def test_a_refusal_is_told_in_a_toast_and_never_swapped_into_the_page(visit):
    page = visit(clean=False)
    page.locator("#refused").click()
    page.wait_for_selector(".toast:has-text('You are not allowed')")
    assert page.locator("#refused").inner_text() == "Ask and be refused"
    assert page.locator("h1").inner_text() == "Components"


def test_a_form_with_messages_is_swapped_in_without_a_toast(visit):
    page = visit(clean=False)
    retarget(page, "/invalid", swap="innerHTML")
    page.locator("#done").click()
    page.wait_for_selector("#done > b:has-text('Enter a name')")
    assert page.locator(".toast").count() == 0


def retarget(page, url, *, swap="none"):
    """Let the button "Do it" post elsewhere."""
    page.evaluate(
        """([url, swap]) => {
          const button = document.getElementById("done");
          button.setAttribute("hx-post", url);
          button.setAttribute("hx-swap", swap);
          window.htmx.process(button, true);
        }""",
        [url, swap],
    )


def test_a_server_that_does_not_answer_is_told_and_can_be_asked_again(visit):
    page = visit(clean=False)
    page.context.set_offline(True)
    page.locator("#done").click()
    page.wait_for_selector(".toast:has-text('did not answer')")
    page.context.set_offline(False)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".toast", has_text="Done")).to_be_visible()


def test_htmx_sends_the_csrf_token_it_inherits_and_is_refused_without_it(visit):
    page = visit(clean=False)
    with page.expect_response("**/done") as answer:
        page.locator("#done").click()
    assert answer.value.status == 204
    page.evaluate("document.body.removeAttribute('hx-headers:inherited')")
    with page.expect_response("**/done") as answer:
        page.locator("#done").click()
    assert answer.value.status == 403


def test_a_request_for_a_piece_that_ends_on_another_page_goes_there(visit):
    page = visit()
    retarget(page, "/signed-out")
    page.locator("#done").click()
    expect(page).to_have_url(re.compile(r"/\?quiet&signed-out$"))


# ---- Time ----


def test_the_browser_words_times_and_clocks_exactly_as_the_server_does(visit):
    page = visit()
    now = int(time.time()) + 0.5
    # Ten seconds from every border: the clock goes on while a slow machine loads the page.
    offsets = [0, 30, 60, 105, 130, 3570, 3620, 86_370, 86_420, 604_600, -100, -7300, -90_000]
    wanted = [formats.relative(_at(now - offset), _at(now)) for offset in offsets]
    page.clock.install(time=now)
    page.goto("about:blank")
    page.go_back()
    page.evaluate(
        """([now, offsets]) => {
          for (const offset of offsets) {
            const el = document.createElement("time");
            el.dateTime = new Date((now - offset) * 1000).toISOString();
            el.dataset.relative = "";
            el.className = "probe";
            document.body.append(el);
          }
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        [now, offsets],
    )
    assert page.locator(".probe").all_inner_texts() == wanted


def _at(seconds):
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def test_clocks_run_and_turn_red_when_they_pass_their_time(visit):
    page = visit()
    counts = page.locator("[data-countdown]")
    assert "text-partial" in counts.first.get_attribute("class")
    assert counts.last.inner_text().startswith("\N{MINUS SIGN}05:")
    before = page.locator("[data-elapsed]").inner_text()
    expect(page.locator("[data-elapsed]")).not_to_have_text(before)


def test_a_wrong_clock_in_the_browser_does_not_change_what_a_clock_shows(visit):
    page = visit()
    page.clock.install(time=time.time() + 3600)
    page.reload()
    page.clock.run_for(1000)
    assert page.locator("[data-elapsed]").inner_text().startswith("05:")


def test_the_exact_time_is_shown_to_the_pointer_and_to_the_keyboard(visit):
    page = visit()
    moment = page.locator("#g-marks").locator("xpath=../..").locator("time").first
    exact = moment.get_attribute("title")
    assert "UTC" in exact
    tip = page.get_by_role("tooltip")
    moment.hover()
    assert tip.inner_text() == exact
    page.mouse.move(5, 5)
    assert not tip.is_visible()
    page.keyboard.press("Tab")
    moment.focus()
    assert tip.inner_text() == exact
    assert moment.get_attribute("aria-describedby") == "tooltip"
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    assert moment.get_attribute("aria-describedby") is None


def test_a_row_with_the_focus_shows_the_exact_time_of_the_row(visit):
    page = visit()
    page.keyboard.press("j")
    assert "UTC" in page.get_by_role("tooltip").inner_text()


# ---- Theme, copy, stream ----


def test_the_theme_button_switches_at_once_and_the_server_remembers(visit):
    page = visit("/?quiet", color_scheme="dark")
    assert page.locator("html").get_attribute("data-theme") == "auto"
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Switch colour theme").click()
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "light"


def test_without_scripts_the_theme_button_the_undo_and_the_tabs_still_work(visit):
    page = visit("/?x", java_script_enabled=False)
    page.get_by_role("button", name="Switch colour theme").click()
    page.wait_for_url("**/?x")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.locator("[data-copy]").first.is_hidden()
    assert page.get_by_role("button", name="Keyboard shortcuts").is_hidden()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/?quiet&undone=POST")


def test_a_copy_button_copies_its_text_or_the_code_around_it(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the key").click()
    expect(toast(page, "Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Said in one sentence."
    page.locator(".code-block button").click()
    expect(page.locator(".toast")).to_have_count(2)
    assert page.evaluate("navigator.clipboard.readText()").startswith("sentry_sdk.init(\n  dsn=")


def test_copying_works_where_the_browser_has_no_clipboard_interface(visit):
    page = visit(permissions=["clipboard-read"])
    page.evaluate("""
        Object.defineProperty(navigator, "clipboard", { value: undefined });
        document.addEventListener("copy", () => { window.copied = document.activeElement.value; });
    """)
    page.get_by_role("button", name="Copy the key").click()
    page.wait_for_selector(".toast:has-text('Copied')")
    assert page.evaluate("window.copied") == "Said in one sentence."


def test_a_stream_morphs_its_pieces_in_and_the_sign_says_live(visit):
    page = visit("/live")
    kept = page.locator("#kept").element_handle()
    expect(page.locator("#kept")).to_have_text("one")
    assert kept.evaluate("(node) => node.isConnected")
    assert page.locator("[data-live-word]").inner_text() == "Live"


def test_a_stream_that_stays_away_for_fifteen_seconds_is_told(visit):
    page = visit("/?quiet", clean=False)
    page.clock.install()
    page.goto(page.url.replace("/?quiet", "/live"))
    expect(page.locator("[data-live-word]")).to_have_text("Live")
    page.route("**/events", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new CustomEvent('htmx:sse:error'))")
    page.clock.run_for(14_000)
    assert page.locator("[data-live-word]").inner_text() == "Live"
    page.clock.run_for(2_000)
    assert page.locator("[data-live-word]").inner_text() == "Reconnecting"


def test_a_stream_whose_first_request_fails_is_asked_for_again(visit):
    page = visit("/?quiet", clean=False)
    page.clock.install()
    page.route("**/events", lambda route: route.abort())
    with page.expect_request("**/events"):
        page.goto(page.url.replace("/?quiet", "/live"))
    page.clock.run_for(16_000)
    assert page.locator("[data-live-word]").inner_text() == "Reconnecting"
    page.unroute("**/events")
    page.clock.run_for(15_000)
    expect(page.locator("[data-live-word]")).to_have_text("Live")
