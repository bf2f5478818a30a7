from collections.abc import Iterator

import looks
import pytest
from rooms.ui import gallery


@pytest.fixture(autouse=True)
def strict(settings):
    """Unknown icons and tones fail, as they do while developing."""
    settings.UI_STRICT = True


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with gallery.serve() as address:
        yield address


@pytest.fixture(scope="module")
def chromium():
    """One browser for a module and no longer: while it runs, its event loop makes Django refuse the database."""
    with looks.chromium() as browser:
        yield browser


@pytest.fixture
def visit(chromium, site):
    """Open a path and return the page.

    The test fails when the page logs an error or breaks its security policy, unless it is expected not to be `clean`.
    """
    contexts, complaints = [], []

    def note(message):
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    def open_page(
        path: str = "/?quiet", *, width: int = 1440, height: int = 900, clean: bool = True, **options: object
    ):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(8000)
        contexts.append(context)
        page = context.new_page()
        if clean:
            page.on("console", note)
            page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
