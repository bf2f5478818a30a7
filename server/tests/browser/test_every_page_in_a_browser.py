"""Every page there is: for everybody, as wide as its screen, in both themes and on paper, and without complaints."""

from __future__ import annotations

import looks
import pytest
from journeys.furnished import browser, furnish, whole_pages
from journeys.routes import PAGES

from daytwo_server.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases=["default", "telemetry"])]

SMALL_PHONE, DOUBLED = 320, 640  # pixels; a screen of 1280 at double size has 640


def room(name: str) -> str:
    return name.partition(":")[0] if ":" in name else "accounts"


@pytest.mark.parametrize("where", sorted({room(name) for name, page in PAGES.items() if page.read is not None}))
def test_every_page_is_for_everybody_on_every_screen_and_on_paper(visit, live_server, where):
    workspace = furnish()
    alice = User.objects.get(email="alice@example.com")
    page = visit("/profile/", alice)
    wrong, looked_at = {}, []
    names = [name for name in PAGES if room(name) == where]
    for name, path, _ in whole_pages(browser(alice), workspace, names=names):
        page.goto(live_server.url + path)
        found = looks.wrong_anywhere(page, widths=(SMALL_PHONE, DOUBLED)) + looks.wrong_on_paper(page)
        if found:
            wrong[name] = found
        looked_at.append(name)
    assert wrong == {}
    assert looked_at
