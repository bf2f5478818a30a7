"""Search: the same words find the same objects on both stores, and any text is a query."""

import string

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daytwo_server.core import search
from daytwo_server.core.models import SearchDocument

pytestmark = pytest.mark.django_db


@pytest.fixture
def issues(db):
    search.index_many(
        "issue",
        [
            (1, "TypeError: cannot read properties of undefined", "app/checkout.js in payWithCard"),
            (2, "ConnectionError: db_primary.example.com refused", "user_id=42 v1.2.3"),
            (3, "Größenfehler im Café", "naïve Straße 12abc"),
        ],
    )
    search.index("ticket", 1, "Cannot pay with my card")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cannot", [1]),
        ("undefined cannot", [1]),
        ("cannot refused", []),
        ("REFUSED", [2]),
        ("db_primary", [2]),
        ("example.com", [2]),
        ("refused exam", [2]),
        ("exam refused", []),
        ("v1.2.3", [2]),
        ("größenfehler", [3]),
        ("grossenfehler cafe", [3]),
        ("STRASSE", [3]),
        ("12abc", [3]),
        ("e", []),
        ("ca", [3, 1]),
        ("com", [2]),
        ("undefined c", []),
        ("", []),
        ("  \t ", []),
        ("🔥 💥", []),
        ("🔥 café", [3]),
        ("cannot OR refused", []),
        ("NOT cannot", []),
        ('"cannot', [1]),
        ("cannot*", [1]),
        ("words:cannot", []),
        ("cannot' ; DROP TABLE core_searchdocument --", []),
        ("can\x00not", []),
        ("undefined\x00cannot", [1]),
        ("\\ & | ! <-> :* cannot", [1]),
        ("near(cannot undefined)", []),
    ],
)
def test_all_words_must_occur_and_the_last_may_be_a_beginning(issues, query, found):
    assert search.ids("issue", query) == found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.text(alphabet=string.punctuation + " aé²ﬁ٣İ\x00\u0301", max_size=30))
def test_any_text_is_a_query_and_finds_the_object_that_consists_of_it(db, text):
    search.index("text", 1, text)
    assert search.ids("text", text) == ([1] if search._distinct(text, 1) else [])


def test_one_letter_is_a_word_but_the_beginning_of_one_only_outside_latin(db):
    search.index("issue", 1, "plan b 表示エラー")
    assert search.ids("issue", "b") == search.ids("issue", "表") == [1]
    assert search.ids("issue", "p") == []


def test_objects_of_another_kind_are_not_found(issues):
    assert search.ids("ticket", "cannot") == [1]
    assert search.ids("issue", "ticket") == []
    assert search.ids("customer", "cannot") == []


def test_the_latest_come_first_and_no_more_than_asked_for():
    search.index_many("issue", [(number, "same words", "") for number in range(1, 21)])
    assert search.ids("issue", "same", limit=3) == [20, 19, 18]


@pytest.mark.parametrize("more", ["", " ".join(f"w{n}" for n in range(200))], ids=["short", "long"])
@pytest.mark.parametrize(("every", "limit"), [(1, 60), (2, 60), (2, 150), (7, 60), (100, 60)])
def test_of_a_word_that_many_have_the_latest_come_first_too(every, limit, more):
    search.index_many("issue", [(n, "common" if n % every == 0 else "other", more) for n in range(1, 251)])
    search.index_many("ticket", [(n, "common", more) for n in range(1, 251)])
    assert search.ids("issue", "common", limit) == [n for n in range(250, 0, -1) if n % every == 0][:limit]


def test_indexing_again_replaces_the_words(issues):
    search.index("issue", 1, "Solved")
    assert search.ids("issue", "cannot") == []
    assert search.ids("issue", "solved") == [1]
    assert SearchDocument.objects.filter(kind="issue", object_id=1).count() == 1


def test_one_object_twice_in_a_batch_counts_as_it_was_last(db):
    search.index_many("issue", [(1, "before", ""), (1, "after", "")])
    assert (search.ids("issue", "before"), search.ids("issue", "after")) == ([], [1])


def test_a_removed_object_is_forgotten(issues):
    search.remove("issue", [1, 2])
    assert search.ids("issue", "cannot") == search.ids("issue", "refused") == []
    assert search.ids("ticket", "cannot") == [1]


def test_a_huge_text_is_indexed_by_its_first_words(db):
    search.index("issue", 1, "start " + " ".join(f"w{n}" for n in range(5000)) + " finish " + "x" * 100_000)
    assert search.ids("issue", "start") == [1]
    assert search.ids("issue", "finish") == []


def test_the_index_is_sound_after_changes(issues):
    search.index("issue", 1, "Other")
    search.remove("issue", [2])
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO core_searchwords (core_searchwords, rank) VALUES ('integrity-check', 1)")
    assert search.ids("issue", "other") == [1]


def test_kinds_are_ranked_together_by_title_then_words():
    search.index_many("issue", [(1, "Pay", ""), (2, "Pay later", ""), (3, "Later", "pay"), (4, "Never", "")])
    search.index_many("ticket", [(7, "Pay", "later"), (8, "I paid", "pay")])
    found = [(hit.kind, hit.object_id, hit.rank) for hit in search.find(["issue", "ticket"], "PAY")]
    assert sorted(found[:2]) == [("issue", 1, search.EXACT), ("ticket", 7, search.EXACT)]
    assert found[2] == ("issue", 2, search.BEGINNING)
    assert sorted(found[3:]) == [("issue", 3, search.WORDS), ("ticket", 8, search.WORDS)]
    assert [hit.object_id for hit in search.find(["ticket"], "pay")] == [7, 8]
    assert search.find([], "pay") == search.find(["issue"], "") == search.find(["issue"], "!?") == []


def test_each_kind_has_its_share():
    search.index_many("issue", [(number, f"Same words {number}", "") for number in range(1, 30)])
    search.index("ticket", 1, "Other", "same words")
    found = search.find(["issue", "ticket"], "same words", limit=3)
    assert {hit.kind for hit in found} == {"issue", "ticket"}
    assert len([hit for hit in found if hit.kind == "issue"]) <= 6


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.text(max_size=20))
def test_a_few_objects_are_searched_like_all(db, text, query):
    search.index("text", 1, text)
    assert search.among({("text", 1)}, query) == [h for h in search.find(["text"], query) if search.ids("text", query)]


def test_titles_lie_in_an_index(db):
    on_sqlite = connection.vendor == "sqlite"
    title = "title" if on_sqlite else 'title COLLATE "C"'
    with connection.cursor() as cursor:
        if not on_sqlite:  # where any way through a table of no rows is as good as another
            for other_way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{other_way} = off")
        cursor.execute(
            f"EXPLAIN {'QUERY PLAN' if on_sqlite else ''} SELECT id FROM core_searchdocument "
            f"WHERE kind = 'a' AND {title} >= 'b' AND {title} < 'c' ORDER BY {title}, id DESC"
        )
        plan = str(cursor.fetchall())
    assert ("COVERING INDEX" if on_sqlite else "Index Only Scan using") + " core_searchdocument_title" in plan
