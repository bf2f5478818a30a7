"""Paging by position."""

import base64
import contextlib
import datetime as dt
import json

import pytest
from django.db.models import F
from django.db.models.functions import Length
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daytwo_server.core.models import AuditEntry, Fact
from daytwo_server.core.pages import BadCursor, page

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def facts(db):
    """Seven rows, three of them at the same moment."""
    Fact.objects.bulk_create(
        Fact(at=NOON + dt.timedelta(seconds=s, microseconds=s), name="x" * s, data=str(s))
        for s in (1, 2, 3, 3, 3, 4, 5)
    )
    return [fact.pk for fact in Fact.objects.order_by("-at", "-pk")]


def ids(found):
    return [row.pk for row in found.rows]


def walk(queryset, **how):
    """All pages forwards, then all pages backwards."""
    pages = [page(queryset, **how)]
    while pages[-1].next:
        pages.append(page(queryset, cursor=pages[-1].next, **how))
    back = [pages[-1]]
    while back[-1].previous:
        back.append(page(queryset, cursor=back[-1].previous, **how))
    return pages, back


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 50])
@pytest.mark.parametrize("ascending", [False, True])
def test_walking_forwards_and_back_meets_every_row_once(facts, limit, ascending):
    pages, back = walk(Fact.objects.all(), by="at", limit=limit, ascending=ascending)
    expected = facts[::-1] if ascending else facts
    assert [pk for found in pages for pk in ids(found)] == expected
    assert [pk for found in reversed(back) for pk in ids(found)] == expected
    assert pages[0].previous is None
    assert pages[-1].next is None
    assert back[-1].previous is None
    assert all(found.next for found in back[1:])


@pytest.mark.parametrize("by", ["name", "pk", "size"])
def test_rows_are_paged_by_text_by_number_and_by_annotation(facts, by):
    queryset = Fact.objects.annotate(size=Length("name") % 3)
    pages, back = walk(queryset, by=by, limit=2)
    expected = [fact.pk for fact in queryset.order_by(F(by).desc(), "-pk")]
    assert [pk for found in pages for pk in ids(found)] == expected
    assert [pk for found in reversed(back) for pk in ids(found)] == expected


def test_rows_that_arrive_meanwhile_do_not_shift_the_next_page(facts):
    first = page(Fact.objects.all(), by="at", limit=3)
    Fact.objects.create(at=NOON + dt.timedelta(days=1), name="new", data="")
    assert ids(page(Fact.objects.all(), by="at", cursor=first.next, limit=3)) == facts[3:6]


def test_a_page_whose_rows_were_all_deleted_is_empty_and_ends(facts):
    first = page(Fact.objects.all(), by="at", limit=3)
    Fact.objects.all().delete()
    found = page(Fact.objects.all(), by="at", cursor=first.next, limit=3)
    assert (found.rows, found.next, found.previous) == ([], None, None)


def cursor(*position):
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "bad",
    [
        "nonsense", "é", "=", "a" * 2000, cursor(), cursor(1), cursor(None, 1, False), cursor("yesterday", 1, False),
        cursor("2026-06-01T12:00:00", 1, False), cursor("2026-06-01", 1, False), cursor(5, 1, False),
        cursor(NOON.isoformat(), 2**63, False), cursor(NOON.isoformat(), "1", False), cursor("\x00", 1, False),
        cursor(NOON.isoformat(), 1, "yes"), cursor({"a": 1}, 1, False), cursor("9999-99-99T00:00:00Z", 1, False),
    ],
)  # fmt: skip
def test_a_cursor_we_did_not_give_out_is_refused(facts, bad):
    with pytest.raises(BadCursor):
        page(Fact.objects.all(), by="at", cursor=bad)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=40)
    | st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=4).map(
        lambda position: base64.urlsafe_b64encode(json.dumps(position).encode()).decode()
    )
)
def test_no_cursor_breaks_a_page(db, text):
    for by in ("at", "action", "pk"):
        with contextlib.suppress(BadCursor):
            assert page(AuditEntry.objects.all(), by=by, cursor=text).rows == []
