"""Pages in a real browser under a strict security policy: accessible, inside the screen, in both themes, on paper."""

import looks
import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/?x", "/error/404?x", "/error/403?x", "/?evil"])
def test_a_page_is_accessible_and_fits_the_screen(visit, path):
    # A failed status is itself logged by the browser, so those pages cannot be free of messages.
    page = visit(path, clean=not path.startswith("/error"))
    looks.check_everywhere(page)


def test_what_is_wrong_is_found_in_the_theme_and_on_the_screen_it_is_wrong_on(visit):
    page = visit("/?quiet")
    before = page.viewport_size
    page.evaluate("""document.querySelector("main").insertAdjacentHTML("beforeend", `
      <p style="color: light-dark(#000, #222); background: light-dark(#fff, #111)">Hard to read in the dark</p>
      <p style="inline-size: 600px">Wider than a phone</p>
      <input type="text">
      <a class="button" href="/" style="display: block !important">Printed</a>`)""")
    found = looks.wrong_anywhere(page, widths=(500,))
    assert sorted(one[:3] for one in found if len(one) > 2) == [
        (390, "dark", "color-contrast"), (390, "light", "label"),
        (1440, "dark", "color-contrast"), (1440, "light", "label"),
    ]  # fmt: skip
    assert [one[0] for one in found if len(one) == 2] == [390, 500]
    assert [one for one in looks.wrong_on_paper(page) if "button" in one] == ["button"]
    assert page.viewport_size == before
    assert page.evaluate("matchMedia('screen and (prefers-color-scheme: light)').matches")


def test_the_sheet_of_shortcuts_and_a_tooltip_are_accessible(visit):
    page = visit("/?quiet")
    page.locator("time[tabindex]").first.hover()
    page.keyboard.press("?")
    assert looks.violations(page) == []


@pytest.mark.parametrize("width", [320, 768, 1024])
def test_a_page_fits_narrow_and_middling_screens_too(visit, width):
    assert looks.overflow(visit("/?quiet", width=width)) == 0


def test_the_menu_of_a_phone_opens_and_closes_without_a_script(visit):
    page = visit("/?quiet", width=390, height=844, java_script_enabled=False)
    page.get_by_role("link", name="More").click()
    menu = page.get_by_role("navigation", name="Main", exact=True)
    assert menu.is_visible()
    menu.get_by_role("link", name="Close the menu").click()
    assert not menu.is_visible()


def test_the_typefaces_are_our_own_and_no_other_host_is_asked(visit, site):
    asked = []
    page = visit("/?quiet")
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_function("document.fonts.ready.then(() => true)")
    assert [url for url in asked if not url.startswith(site)] == []
    assert page.evaluate("[...document.fonts].map((face) => face.status)") == ["loaded", "loaded"]
    assert page.evaluate("document.querySelector('.page .button .icon').getBoundingClientRect().width") == 16


def test_icons_from_the_sprite_are_really_drawn(visit):
    page = visit("/?quiet")
    page.wait_for_load_state("networkidle")
    shown = "[...document.querySelectorAll('svg.icon use')].filter((use) => use.parentNode.checkVisibility())"
    assert page.evaluate(f"{shown}.length") > 60
    assert page.evaluate(f"{shown}.filter((use) => !use.getBBox().width).length") == 0


def test_paper_shows_the_content_in_light_colours_and_no_controls(visit):
    page = visit("/?x&theme=dark")
    page.emulate_media(media="print")
    assert not page.locator(".shell__nav").is_visible()
    assert not page.locator(".topbar").is_visible()
    assert not page.locator(".toasts").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_nothing_moves_for_somebody_who_asked_for_less_motion(visit):
    page = visit("/?x", reduced_motion="reduce")
    moving = page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length")
    assert moving == 0


def test_auto_follows_the_system_and_a_chosen_theme_does_not(visit):
    background = "getComputedStyle(document.body).backgroundColor"
    assert visit("/?quiet", color_scheme="dark").evaluate(background) == "rgb(14, 15, 18)"
    assert visit("/?quiet", color_scheme="light").evaluate(background) == "rgb(248, 248, 246)"
    assert visit("/?quiet&theme=light", color_scheme="dark").evaluate(background) == "rgb(248, 248, 246)"


def test_fingers_get_bigger_targets_than_a_mouse(visit):
    height = "document.querySelector('.nav__link').getBoundingClientRect().height"
    assert visit("/?quiet").evaluate(height) == 28
    touch = visit("/?quiet", width=1024, has_touch=True, is_mobile=True)
    assert touch.evaluate(height) == 44
    assert touch.evaluate("document.querySelector('.page .button').getBoundingClientRect().height") == 44
