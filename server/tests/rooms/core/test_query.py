"""The search language of every list: what a key means is the list's, the rest is the same everywhere."""

import make
import pytest
from django.db.models import Q

from daytwo_server.catalog.models import Project
from daytwo_server.core.query import BadFilter, Query, Term, known, narrow, parse

CONDITIONS = {"platform": lambda value: Q(platform=value), "slug": lambda value: Q(slug=value)}


@pytest.fixture
def projects(db):
    return [make.project(name, platform=platform) for name, platform in (("A", "python"), ("B", "go"), ("C", "go"))]


def found(text):
    return sorted(narrow(Project.objects.all(), parse(text).terms, known(CONDITIONS)).values_list("name", flat=True))


def test_all_terms_must_hold_and_a_mark_turns_one_around(projects):
    assert found("platform:go") == ["B", "C"]
    assert found("platform:go !slug:b") == ["C"]
    assert found("") == ["A", "B", "C"]


def test_a_key_that_the_list_does_not_know_is_refused_with_those_it_knows(projects):
    with pytest.raises(BadFilter, match="There is no filter level: here; use platform:, slug: or plain words"):
        found("level:error")


def test_no_value_reaches_the_database_that_it_could_not_take(projects):
    with pytest.raises(BadFilter, match="NUL"):
        narrow(Project.objects.all(), [Term("slug", "a\x00")], known(CONDITIONS))


def test_a_list_may_call_its_keys_by_other_names():
    assert parse("env:x other:y", {"env": "environment"}).terms == (Term("environment", "x"), Term("other", "y"))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ('one:"two words" three', Query((Term("one", "two words"),), "three")),
        ('"one:two" three', Query((), "one:two three")),
        ("!a:b", Query((Term("a", "b", negated=True),), "")),
        ("https://example.com/x", Query((), "https://example.com/x")),
        ("a:b a:b", Query((Term("a", "b"),), "")),
        ("a: b", Query((), "a: b")),
    ],
)
def test_terms_quotes_and_words_are_told_apart(text, query):
    assert parse(text) == query
    assert parse(str(query)) == query
