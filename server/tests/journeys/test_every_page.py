"""What holds for every page of the product, and for every form on them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from journeys.furnished import address, browser, furnish
from journeys.routes import PAGES

from daytwo_server.accounts.models import User

pytestmark = pytest.mark.django_db(databases=["default", "telemetry"])

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
# Of one field each, which a browser does not send empty, or of menus alone, in which nothing can be mistyped; the
# answer is the page with words that say so.
ONE_FIELD = re.compile(r"(/comments|/links/|/reply|/note|/merge|/guard/\?environment=\w+)$")
TYPED = {"text", "email", "password", "url", "number", "search", "date", "datetime-local", ""}


@pytest.fixture
def workspace() -> dict[str, Any]:
    return furnish()


@pytest.fixture
def owner(workspace: dict[str, Any]) -> Any:
    return browser(User.objects.get(email="alice@example.com"))


def readable(workspace: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, page in PAGES.items():
        if page.read is not None:
            yield name, address(name, workspace)


def test_a_page_answers_head_as_it_answers_get_without_a_body(workspace, owner):
    for name, path in readable(workspace):
        get, head = owner.get(path), owner.head(path)
        assert (name, head.status_code) == (name, get.status_code)
        assert (name, head.getvalue()) == (name, b"")


def test_the_address_of_a_button_is_explained_to_who_opens_it(workspace, owner):
    for name, page in PAGES.items():
        if page.read is not None:
            continue
        answer = owner.get(address(name, workspace), headers={"Accept": "text/html,*/*"})
        assert (name, answer.status_code) == (name, 405)
        assert "This is a button, not a page" in answer.text, name
        assert 'href="/"' in answer.text, name
        assert "POST" in answer["Allow"], name


def test_a_page_travels_compressed_and_its_length_tells_nothing_twice(workspace, owner):
    answers = [owner.get("/errors", headers={"Accept-Encoding": "gzip"}) for _ in range(8)]
    assert {answer["Content-Encoding"] for answer in answers} == {"gzip"}
    assert all(len(answer.content) < len(gzip.decompress(answer.content)) / 2 for answer in answers)
    assert "Accept-Encoding" in answers[0]["Vary"]
    assert len({len(answer.content) for answer in answers}) > 3
    assert owner.get("/errors").get("Content-Encoding") is None


@dataclass
class Form:
    """What a browser would send for a form, and which of it a person types or chooses."""

    attributes: dict[str, str | None]
    sent: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    chosen: set[str] = field(default_factory=set)

    @property
    def wrong(self) -> dict[str, str] | None:
        """The form with nothing typed and impossible choices; None when it has no field to fill in."""
        if not self.typed | self.chosen:
            return None
        return {**self.sent, **dict.fromkeys(self.typed, ""), **dict.fromkeys(self.chosen, "no such thing")}


class Forms(HTMLParser):
    """Every POST form of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.now: Form | None = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            self.now = Form(given)
            if given.get("method") == "post":
                self.found.append(self.now)
        elif self.now is None or not name:
            return
        elif "required" in given and (tag == "textarea" or (tag == "input" and (given.get("type") or "") in TYPED)):
            self.now.typed.add(name)
        elif tag == "select":
            self.now.chosen.add(name)
        elif tag == "input" and given.get("type") == "hidden":
            self.now.sent[name] = given.get("value") or ""

    def handle_endtag(self, tag):
        if tag == "form":
            self.now = None


def test_a_form_with_mistakes_comes_back_with_422_words_below_its_fields_and_the_focus_on_the_first(workspace, owner):
    tried = set()
    for name, path in readable(workspace):
        page = owner.get(path)
        if page.streaming or "<form" not in page.text:
            continue
        for form in Forms(page.text).found:
            action, wrong = form.attributes.get("action") or path, form.wrong
            if wrong is None or "data-ticks" in form.attributes or action in tried or ONE_FIELD.search(action):
                continue
            tried.add(action)
            whole, part = owner.post(action, wrong), owner.post(action, wrong, headers=PART)
            assert (name, action, whole.status_code) == (name, action, 422)
            assert "<html" in whole.text
            for answer in (whole, part) if "hx-post" in form.attributes else (whole,):
                assert (name, action, answer.status_code) == (name, action, 422)
                assert re.search(r'aria-invalid="true"', answer.text), (name, action)
                assert re.search(r'class="field__error" id="[^"]+_error"', answer.text), (name, action)
                assert answer.text.count(" autofocus") >= 1, (name, action)
                assert 'role="alert"' in answer.text, (name, action)
            if "hx-post" in form.attributes:
                assert "<html" not in part.text, (name, action)
    assert len(tried) >= 5, tried
