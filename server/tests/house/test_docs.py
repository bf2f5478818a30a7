"""The generated pages of the reference are those of this code."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_spec = importlib.util.spec_from_file_location("reference", ROOT / "server" / "tools" / "reference.py")
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_a_generated_page_is_up_to_date(name):
    assert (ROOT / "docs" / "reference" / name).read_text() == reference.PAGES[name](), "run `make docs`"
