"""Every key that a search box understands is in the reference, and the reference knows no other."""

import re
from pathlib import Path

import pytest
from django.db.models import Q
from django.urls import get_resolver

from daytwo_server.core import query
from daytwo_server.errors.query import STATES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "search.md"
TERM = re.compile(r"`!?([a-zA-Z]+):")


def sections() -> dict[str, str]:
    """The part of the page about each list, by its name in lower case."""
    found = re.split(r"^#{2,3} (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip((name.lower() for name in found[1::2]), found[2::2], strict=True))


def languages() -> dict[str, query.Language]:
    get_resolver().url_patterns  # noqa: B018 - loads the pages, and with them what they search by
    return dict(query.languages())


def told(section: str) -> set[str]:
    """The keys in the table."""
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return {key for row in rows for key in TERM.findall(row)}


def test_the_keys_of_a_list_are_those_of_its_section():
    known, written = languages(), sections()
    assert len(known) >= 12
    for name, language in known.items():
        assert language.keys.keys() - told(written[name]) == set(), name
        assert told(written[name]) - {*language.keys, *language.aliases} == set(), name


def test_the_fixed_values_that_the_page_names_are_taken_by_the_list(db):
    conditions = []
    for name, language in languages().items():
        section = sections()[name]
        values = re.findall(r"`((?:is|status|kind|role):[a-z]+)`", section)
        conditions += [language.keys[key](value) for key, _, value in (one.partition(":") for one in values)]
    assert len(conditions) >= 12
    assert all(isinstance(one, Q) for one in conditions)


def test_a_value_that_no_list_takes_is_not_silently_right(db):
    for name, language in languages().items():
        if "is" in language.keys:
            with pytest.raises(query.BadFilter, match="There is no is:odd; use is:"):
                language.keys["is"]("odd")
            assert "`is:" in sections()[name]


def test_the_states_of_errors_are_on_the_page():
    section = sections()["errors"]
    assert [state for state in STATES if f"`is:{state}`" not in section] == []
