"""Queries whose SQL is written once: for pages that everybody opens all day.

Django writes the SQL of a query anew each time, which takes several times as long as a store needs to answer by an
index. What a query looks like does not change with its values, so the text can stay.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import ManyToOneRel, Model, QuerySet, prefetch_related_objects

from daytwo_server.core import sql

R = TypeVar("R")
MAX_SHAPES = 100  # texts that one query keeps; beyond them it starts anew
LONGEST = 50  # values of a list; there are too many longer ones to keep a text for each
# Stand where the values will: numbers that fit every column, texts and times that nobody has.
_NUMBER, _TEXT, _TIME = 2_147_480_000, "\ue0f5prepared", dt.datetime(8999, 1, 1, tzinfo=dt.UTC)


class Prepared(Generic[R]):
    """The rows of the query that `build` makes of its values, with what that selects, annotates and prefetches.

        of_customer = Prepared[Ticket](lambda customer, ids: Ticket.objects.filter(customer=customer, pk__in=ids))
        rows = of_customer(7, [1, 2])

    Values are whole numbers, texts, times, and lists of them; a list of another length is written as another text.
    `build` runs once for each text, with stand-ins of the same types: it must only hand them to the query, which must
    compare them as they are (`icontains` would not). Raises `ValueError` when a value did not arrive in the SQL.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, R]]) -> None:
        self._build = build
        self._written: dict[tuple[Any, ...], _Written] = {}

    def __call__(self, *values: Any) -> list[R]:
        if any(isinstance(value, list) and len(value) > LONGEST for value in values):
            return list(self._build(*values))
        shape = tuple((type(value), len(value) if isinstance(value, list) else 0) for value in values)
        written = self._written.get(shape)
        if written is None:
            if len(self._written) >= MAX_SHAPES:
                self._written.clear()
            written = self._written[shape] = _Written(self._build, values)
        return written.rows(values)


class _Written:
    def __init__(self, build: Callable[..., QuerySet[Any, Any]], values: Sequence[Any]) -> None:
        stand_ins = _stand_ins(values)
        queryset: Any = build(*stand_ins)
        self._model, self._alias = queryset.model, queryset.db
        self._iterable = queryset._iterable_class  # noqa: SLF001 - Django has no other way to what rows become
        self._prefetched = queryset._prefetch_related_lookups  # noqa: SLF001 - the same
        self._related: dict[str, Prepared[Any]] = {}
        self._query = queryset.query
        self._compiler = self._query.get_compiler(using=self._alias)
        self._sql, self._slots = "", []
        try:
            self._sql, parameters = self._compiler.as_sql()
        except EmptyResultSet:  # one of an empty list
            return
        self._converters = self._compiler.get_converters([one[0] for one in self._compiler.select])
        places = {sql.adapt(self._alias, one): n for n, one in enumerate(_flat(stand_ins))}
        # What is no stand-in is a constant of the query.
        self._slots = [(places.get(one, -1), one) for one in parameters]
        if {place for place, _ in self._slots} - {-1} != set(range(len(places))):
            raise ValueError(f"Not every value of the query arrived in {self._sql}")

    def rows(self, values: Sequence[Any]) -> list[Any]:
        if not self._sql:
            return []
        now = [sql.adapt(self._alias, one) for one in _flat(values)]
        text, parameters = self._sql, tuple(constant if n < 0 else now[n] for n, constant in self._slots)
        compiler = copy.copy(self._compiler)
        compiler.connection = connections[self._alias]  # that of this thread
        compiler.as_sql = lambda *_, **__: (text, parameters)
        compiler.get_converters = lambda _: self._converters
        written: Any = _Query(self._query, compiler)
        queryset = QuerySet[Any, Any](self._model, query=written, using=self._alias)
        found: list[Any] = list(self._iterable(queryset))
        for name in self._prefetched if found and isinstance(found[0], Model) else ():
            self._prefetch(found, name)
        return found

    def _prefetch(self, rows: list[Any], name: Any) -> None:
        """As Django does, whose own way writes a query for each prefetch and one more for each row."""
        related = self._model._meta.get_field(name) if isinstance(name, str) and "__" not in name else None
        if not isinstance(related, ManyToOneRel):
            prefetch_related_objects(rows, name)
            return
        to: Any = related.related_model
        field = related.field
        if name not in self._related:
            self._related[name] = Prepared(lambda keys: to.objects.filter(**{f"{field.name}__in": keys}))
        found: dict[Any, list[Any]] = defaultdict(list)
        for one in self._related[name]([row.pk for row in rows]):
            found[getattr(one, field.attname)].append(one)
        for row in rows:
            its = QuerySet[Any, Any](to, using=self._alias)
            its._result_cache = found[row.pk]  # noqa: SLF001 - the same
            row.__dict__.setdefault("_prefetched_objects_cache", {})[related.cache_name] = its


class _Query:
    """A query that has been written already."""

    def __init__(self, query: Any, compiler: Any) -> None:
        self._query, self._compiler = query, compiler

    def get_compiler(self, *_: Any, **__: Any) -> Any:
        return self._compiler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._query, name)


def _flat(values: Sequence[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat.extend(value) if isinstance(value, list) else flat.append(value)
    return flat


def _stand_ins(values: Sequence[Any]) -> list[Any]:
    """One for each value, no two alike."""
    numbers = iter(range(10**6))
    return [
        [_stand_in(one, next(numbers)) for one in value] if isinstance(value, list) else _stand_in(value, next(numbers))
        for value in values
    ]


def _stand_in(value: Any, number: int) -> Any:
    match value:
        case bool():
            raise TypeError("A truth value changes what the query is: make two queries.")
        case int():
            return _NUMBER + number
        case str():
            return f"{_TEXT}{number}"
        case dt.datetime():
            return _TIME + dt.timedelta(microseconds=number)
    raise TypeError(f"A query is prepared for numbers, texts, times and lists of them, not for {value!r}.")
