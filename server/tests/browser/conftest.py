"""A browser at the real pages: Chromium, and Django on a port of this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import looks
import pytest

if TYPE_CHECKING:  # pytest loads this file before Django is set up
    from daytwo_server.accounts.models import User


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, looks.chromium() as browser:
        # Playwright runs an event loop in this thread, and Django would refuse its database because of it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield browser


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
        context.add_cookies([looks.session_cookie(user, live_server.url)])
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
