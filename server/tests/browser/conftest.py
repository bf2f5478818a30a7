"""A browser at the real pages: Chromium, and Django on a port of this machine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # pytest loads this file before Django is set up
    from daytwo_server.accounts.models import User

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("these tests need Chromium: install the package chromium, or put it on PATH")
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, and Django would refuse its database because of it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def bob(transactional_db: None) -> User:
    """An engineer."""
    import make

    return make.bob()


@pytest.fixture
def visit(chromium: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Open a path as somebody and return the page. The test fails if the page logs an error or breaks its policy."""
    contexts, complaints = [], []

    def note(message: Any) -> None:
        # This server has no streams (they are no business of Django's), so their request fails here. Chromium also
        # notes 409 and 422, which are forms that come back to be corrected.
        expected = "/live" in message.location["url"] or re.search(r"status of (409|422)", message.text)
        if message.type in {"error", "warning"} and not expected:
            complaints.append(f"{message.text} {message.location['url']}")

    def open_page(path: str, user: User, *, width: int = 1440, height: int = 900, **options: Any) -> Any:
        # What fades in has no contrast while it does.
        options.setdefault("reduced_motion", "reduce")
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.add_cookies([_session(user, live_server.url)])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _session(user: User, url: str) -> dict[str, Any]:
    from django.test import Client

    client = Client()
    client.force_login(user)
    (name, cookie), *_ = client.cookies.items()
    return {"name": name, "value": cookie.value, "url": url}
