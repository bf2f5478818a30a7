"""Takes the pictures of docs/tutorial/images from a running server, for example one started by `make serve`.

    python server/tools/screenshots.py http://127.0.0.1:8000 demo@example.com PASSWORD

Creates the project Shop if it is not there; its onboarding is only shown until it reports. Needs Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "images"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PROJECT = "Shop"
LARGEST = 200_000  # bytes of a picture: they are part of the repository for ever


def main() -> int:
    """1 when a picture is too large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("url", "email", "password"):
        parser.add_argument(name)
    given = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
        )
        page = sign_in(browser, given)
        for name, show in SHOWS.items():
            show(page)
            take(page, f"{name}-light")
        browser.close()
    too_large = [path.name for path in IMAGES.glob("*.png") if path.stat().st_size > LARGEST]
    print("\n".join(f"{name} has more than {LARGEST} bytes." for name in too_large))
    return 1 if too_large else 0


def sign_in(browser: Browser, given: argparse.Namespace) -> Page:
    """A page on the list of issues."""
    size = {"width": 1440, "height": 900}
    context = browser.new_context(base_url=given.url, viewport=size, color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    page.goto("/")
    page.get_by_label("E-mail").fill(given.email)
    page.get_by_label("Password").fill(given.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Errors", exact=True)).to_be_visible()
    return page


def show_project(page: Page) -> None:
    page.goto("/projects/")
    if page.get_by_role("link", name=PROJECT).count() == 0:
        page.goto("/projects/new/")
        page.get_by_label("Name").fill(PROJECT)
        page.get_by_role("button", name="Create project").click()
    else:
        page.get_by_role("link", name=PROJECT).first.click()
    expect(page.get_by_role("heading", name=PROJECT)).to_be_visible()


def show_issues(page: Page) -> None:
    page.goto("/errors")
    live(page)


def show_issue(page: Page) -> None:
    """The issue with most events."""
    page.goto("/errors?sort=events")
    page.locator("tbody a").first.click()
    live(page)


def show_ticket(page: Page) -> None:
    """The ticket whose conversation is the longest of the demo's."""
    page.goto("/tickets?query=checkout")
    page.locator("[data-rows] a").first.click()
    live(page)


SHOWS = {"project": show_project, "issues": show_issues, "issue": show_issue, "ticket": show_ticket}


def live(page: Page) -> None:
    expect(page.locator("[data-live-word]").first).to_have_text("Live")


def take(page: Page, name: str) -> None:
    page.evaluate("document.fonts.ready")
    page.mouse.move(0, 0)
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
