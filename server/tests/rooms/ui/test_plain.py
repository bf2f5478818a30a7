"""The tokens for browsers that do not know `light-dark()`."""

import gzip

import pytest

from daytwo_server.ui import plain
from daytwo_server.ui.storage import shrink_css


@pytest.mark.parametrize("made", plain.SHEETS, ids=lambda path: path.parent.name)
def test_the_sheet_is_made_from_the_tokens_of_today(made):
    assert made.read_text() == plain.plain(plain.SHEETS[made].read_text())


@pytest.mark.parametrize("made", plain.SHEETS, ids=lambda path: path.parent.name)
def test_old_browsers_understand_it_and_it_is_small(made):
    text = made.read_text() + plain.SHEETS[made].read_text()
    for new in ("light-dark(", "@layer", "@container", ":has(", "inset-", "inline-size", "oklch"):
        assert new not in shrink_css(text)
    assert len(gzip.compress(shrink_css(text).encode(), 9)) < 6000


def test_a_colour_that_is_no_token_is_an_error():
    with pytest.raises(KeyError):
        plain.plain("a { color: var(--no-such) }")
