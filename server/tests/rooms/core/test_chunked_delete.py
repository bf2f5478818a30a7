"""Deleting much in short transactions."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from daytwo_server.core.db import chunked_delete
from daytwo_server.core.models import Fact

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _facts(db):
    Fact.objects.bulk_create(Fact(name="old" if n < 25 else "new", data="") for n in range(30))


def test_only_the_named_rows_go_in_pieces_and_are_counted():
    with CaptureQueriesContext(connection) as queries:
        assert chunked_delete(Fact.objects.filter(name="old"), chunk=10, pause_s=0) == 25
    assert sum("DELETE" in query["sql"] for query in queries) == 3
    assert set(Fact.objects.values_list("name", flat=True)) == {"new"}


def test_nothing_to_delete_takes_no_pause():
    started = time.monotonic()
    assert chunked_delete(Fact.objects.filter(name="none"), pause_s=5) == 0
    assert chunked_delete(Fact.objects.filter(name="old"), pause_s=5) == 25
    assert time.monotonic() - started < 2
