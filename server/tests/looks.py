"""How a page is looked at: by everybody, on a desk, on a phone and on paper, in the light and in the dark.

A page is loaded once. Its size and its theme are then changed where it stands: both are matters of style sheets alone,
and a theme is nothing but colours.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client

if TYPE_CHECKING:  # conftest loads this file before Django is set up
    from daytwo_server.accounts.models import User

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

DESK, PHONE = (1440, 900), (390, 844)
SIZES = (DESK, PHONE)
THEMES = ("light", "dark")
ON_BOTH = pytest.mark.parametrize(("width", "height"), SIZES)

_ALL_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_RULES_OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
_VIOLATIONS = """(rules) => document.fonts.ready
  .then(() => axe.run({runOnly: rules, resultTypes: ["violations"]}))
  .then(({violations}) => violations.map(({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 200))]))"""
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_CONTROLS = ".button, .shell__nav, .topbar, .tabbar, .bulk"
_VISIBLE = "(found) => found.filter((one) => one.checkVisibility()).map((one) => one.className)"


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser. While it runs, its event loop makes Django refuse the database, unless Django is told not to."""
    if CHROMIUM is None:
        pytest.skip("these tests need Chromium: install the package chromium, or put it on PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def session_cookie(user: User, url: str) -> dict[str, Any]:
    """For the browser of somebody who is signed in at the server of this address."""
    client = Client()
    client.force_login(user)
    (name, cookie), *_ = client.cookies.items()
    return {"name": name, "value": cookie.value, "url": url}


def holding(page: Any, pattern: str) -> list[Any]:
    """What the page asks for at addresses that match, each kept back until somebody calls its `continue_`."""
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route(re.compile(pattern), hold)
    return held


def check(page: Any, *what: str) -> None:
    """The page as it stands is accessible and no wider than its screen. `what` it is stands in the failure."""
    assert (*what, violations(page)) == (*what, [])
    assert (*what, overflow(page)) == (*what, 0)


def check_in_both_themes(page: Any, *what: str) -> None:
    """`check` in the light and in the dark."""
    assert (*what, _violations_in_both_themes(page)) == (*what, [])
    assert (*what, overflow(page)) == (*what, 0)


def check_everywhere(page: Any, *what: str) -> None:
    """`check` on a desk and on a phone, in the light and in the dark."""
    assert (*what, wrong_anywhere(page)) == (*what, [])


def wrong_anywhere(page: Any, *, widths: tuple[int, ...] = ()) -> list[Any]:
    """What `check_everywhere` would find: nothing, on a good page. `widths` are other screens it has to fit."""
    found: list[Any] = []
    before = page.viewport_size
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        found += [(width, *one) for one in _violations_in_both_themes(page)]
    for width in (*(width for width, _ in SIZES), *widths):
        page.set_viewport_size({"width": width, "height": before["height"]})
        if too_wide := overflow(page):
            found.append((width, f"{too_wide} px too wide"))
    page.set_viewport_size(before)
    return found


def _violations_in_both_themes(page: Any) -> list[Any]:
    found: list[Any] = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        rules = _ALL_RULES if theme == THEMES[0] else _RULES_OF_COLOURS
        found += [(theme, *one) for one in violations(page, rules)]
    page.emulate_media(color_scheme="null")
    return found


def violations(page: Any, rules: Any = _ALL_RULES) -> list[Any]:
    """The rules of accessibility that the page breaks, each with the elements that do."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(_VIOLATIONS, rules)


def overflow(page: Any) -> int:
    """Pixels by which the page is wider than its screen."""
    return page.evaluate(_OVERFLOW)


def wrong_on_paper(page: Any) -> list[Any]:
    """Controls that are printed, content that is not, ink where the paper should be white."""
    page.emulate_media(media="print", color_scheme="dark")
    found = page.locator(_CONTROLS).evaluate_all(_VISIBLE)
    if not page.locator("main").is_visible():
        found.append("no content")
    if (ground := page.evaluate("getComputedStyle(document.body).backgroundColor")) != "rgb(255, 255, 255)":
        found.append(ground)
    page.emulate_media(media="null", color_scheme="null")
    return found
