"""Every page there is, in both themes and at three widths: accessible, as wide as its screen, and without complaints."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from journeys.test_who_may_see_what import PAGES, address, furnish

from daytwo_server.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def pages():
    """Whole pages only: a file to download or a part of a page has no document to look at."""
    return sorted(name for name, page in PAGES.items() if page.read is not None)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_every_page_is_accessible_and_fits_the_screen(visit, theme, width, height):
    workspace = furnish()
    alice = User.objects.get(email="alice@example.com")
    page = visit("/profile/", alice, width=width, height=height, color_scheme=theme)
    base = page.url.removesuffix("/profile/")
    wrong = {}
    for name in pages():
        answer = page.request.get(base + address(name, workspace))
        if not answer.headers["content-type"].startswith("text/html") or "<html" not in answer.text():
            continue
        page.goto(base + address(name, workspace))
        page.evaluate("document.fonts.ready.then(() => true)")
        found = Axe().run(page, options=RULES).response["violations"]
        problems = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
        if over := page.evaluate(OVERFLOW):
            problems.append(("wider than its screen", [f"{over} px"]))
        if problems:
            wrong[name] = problems
    assert wrong == {}
