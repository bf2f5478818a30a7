"""What was rendered from the same words before."""

import html

import pytest

from daytwo_server.ui import remembered

CHOICE = "ui/select.html"


@pytest.fixture(autouse=True)
def _afresh():
    remembered.rendered.cache_clear()


def choice(**words):
    return remembered.rendered(
        CHOICE, **({"name": "plan", "any": True, "chosen": "", "options": (("a", "A"),)} | words)
    )


def test_the_same_words_are_rendered_once():
    first = choice()
    assert choice() is first
    assert remembered.rendered.cache_info().misses == 1


@pytest.mark.parametrize("words", [{"chosen": "a"}, {"any": False}, {"name": "flag"}, {"options": (("a", "Other"),)}])
def test_other_words_are_another_text(words):
    assert choice(**words) != choice()


def test_words_are_escaped():
    said = choice(options=(('"><script>', "<b>Bold</b>"),))
    assert "<script>" not in said
    assert "<b>" not in said
    assert "<b>Bold</b>" in html.unescape(said)


def test_no_more_is_kept_than_memory_is_for():
    for n in range(remembered.KEPT + 10):
        choice(name=str(n))
    assert remembered.rendered.cache_info().currsize == remembered.KEPT
