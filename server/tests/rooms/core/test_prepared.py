"""Queries whose SQL is written once."""

import threading

import make
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from daytwo_server.core import clock
from daytwo_server.core import prepared as prepared_queries
from daytwo_server.core.models import AuditEntry
from daytwo_server.core.prepared import Prepared

pytestmark = pytest.mark.django_db


def entries(*actions, kind="user"):
    return [AuditEntry.objects.create(actor_kind=kind, actor_id="1", action=action) for action in actions]


def test_rows_are_those_of_the_values_given_each_time():
    first, second, third = entries("a", "b", "c")
    named = Prepared(lambda action, kind: AuditEntry.objects.filter(action=action, actor_kind=kind))
    assert [named("a", "user"), named("b", "user"), named("b", "token")] == [[first], [second], []]
    since = Prepared(lambda moment: AuditEntry.objects.filter(at__gte=moment).order_by("pk"))
    assert since(second.at) == [second, third]
    assert since(clock.now()) == []


def test_the_sql_is_written_once_for_lists_of_a_length():
    a, b, c = entries("a", "b", "c")
    built = []
    among = Prepared(
        lambda pks, kind: (
            built.append(len(pks)) or AuditEntry.objects.filter(pk__in=pks, actor_kind=kind).order_by("pk")
        )
    )
    assert [among([a.pk, c.pk], "user"), among([c.pk, b.pk], "user"), among([b.pk, b.pk], "user")] == [
        [a, c],
        [b, c],
        [b],
    ]
    assert [among([a.pk], "user"), among([c.pk, b.pk], "token"), built] == [[a], [], [2, 1]]
    assert [among([], "user"), among([], "user"), built] == [[], [], [2, 1, 0]]


def test_long_lists_and_many_lengths_are_not_kept(monkeypatch):
    monkeypatch.setattr(prepared_queries, "MAX_SHAPES", 3)
    monkeypatch.setattr(prepared_queries, "LONGEST", 10)
    rows = entries(*"abcdefghijkl")
    among = Prepared(lambda pks: AuditEntry.objects.filter(pk__in=pks).order_by("pk"))
    for length in (1, 2, 3, 4, 5, 11, 12):
        assert among([row.pk for row in rows[:length]]) == rows[:length]
    assert len(among._written) <= 3


def test_whatever_a_query_selects_comes_along():
    dana = make.dana()
    ticket = make.ticket(dana)
    from daytwo_server.tickets.selectors import conversation

    found = Prepared(lambda number: conversation.said_in(number).order_by("pk"))
    with CaptureQueriesContext(connection) as asked:
        (said,) = found(ticket.pk)
        shown = (said.customer.name, said.whole, said.designed, list(said.attachments.all()), said.author)
    assert shown == (dana.name, False, False, [], None)
    assert len(asked) == 2
    pairs = Prepared(lambda number: conversation.said_in(number).values_list("ticket", "pk"))
    assert pairs(ticket.pk) == [(ticket.pk, said.pk)]
    assert Prepared(lambda number: conversation.said_in(number).values_list("pk", flat=True))(ticket.pk) == [said.pk]


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_by_its_own_connection():
    (row,) = entries("a")
    named = Prepared(lambda action: AuditEntry.objects.filter(action=action))
    assert named("a") == [row]
    seen = []

    def ask():
        with CaptureQueriesContext(connection) as asked:
            seen.append((named("a"), len(asked)))
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(10)
    assert seen == [([row], 1)]


def test_a_value_that_the_query_changes_or_forgets_is_refused():
    for build in (
        lambda action: AuditEntry.objects.filter(action__icontains=action),
        lambda action: AuditEntry.objects.exclude(action=""),
    ):
        with pytest.raises(ValueError, match="Not every value"):
            Prepared(build)("a")
    for value in (None, True, 1.5):
        with pytest.raises(TypeError):
            Prepared(lambda value: AuditEntry.objects.filter(action=value))(value)
