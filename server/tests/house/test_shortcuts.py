"""Every key means one thing, is told in one place, and is really there."""

import re
from pathlib import Path

import pytest

import daytwo_server
from daytwo_server.ui import shortcuts

PACKAGE = Path(daytwo_server.__file__).parent
TEMPLATES = sorted(PACKAGE.glob("*/templates/**/*.html"))
KEYS_JS = (PACKAGE / "ui/static/ui/js/keys.js").read_text()


def used() -> set[str]:
    pages = [path for path in TEMPLATES if not path.name.startswith("gallery")]
    return {key for path in pages for key in re.findall(r'{% key "([^"]+)"', path.read_text())}


def test_every_letter_with_a_meaning_is_on_a_button_and_every_button_has_a_letter_with_a_meaning():
    assert used() == set(shortcuts.LETTERS)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_template_gives_keys_by_the_tag_alone(path):
    assert re.findall(r"data-key=", path.read_text()) == []


def test_the_keys_of_every_list_are_those_that_the_script_knows():
    told = set(re.findall(r'\badd\("([^"]+)"', KEYS_JS)) | {"o", "Space"}
    assert '["o", "Space"]' in KEYS_JS
    assert told == set(shortcuts.BUILT_IN)


def test_the_sheet_and_the_reference_use_the_same_words():
    for key, words in re.findall(r'\badd\("([^"]+)", "([^"]+)"', KEYS_JS):
        if key != "?":
            assert shortcuts.BUILT_IN[key].startswith(words), key


def test_a_key_that_is_kept_for_a_meaning_has_no_other():
    assert not set(shortcuts.RESERVED) & (set(shortcuts.LETTERS) | set(shortcuts.BUILT_IN))
