"""Where a ticket stands in the inbox, as one number that the database keeps by itself: no write can forget it.

The hundreds say which group: promises that run out, the sooner the first; then who waits for us without one, the most
urgent first and of those who waits longest; then who does not wait; then what is resolved, and what is closed.
"""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, Case, F, Func, Value, When
from django.db.models.functions import Coalesce

STEP = 10**16  # microseconds from 1970 to the year 2286
DONE = 8 * STEP  # from here on nothing is left to do
_WAITING = {"urgent": 1, "high": 2, "medium": 3, "low": 4}
_ANSWERED, _RESOLVED, _CLOSED = 7, 8, 9


class Microseconds(Func):
    """Of a time since 1970. Both forms say the same on every connection, which a generated column asks for."""

    output_field = BigIntegerField()
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # Times are text there, with a fraction only when there is one.
        template = (
            "(CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) * 1000000"
            " + CAST(substr(%(expressions)s || '.000000', 21, 6) AS INTEGER))"
        )
        return self._twice(compiler, connection, template, **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "((EXTRACT(EPOCH FROM %(expressions)s AT TIME ZONE 'UTC') * 1000000)::bigint)"
        return super().as_sql(compiler, connection, template=template, **extra)

    def _twice(self, compiler: Any, connection: Any, template: str, **extra: Any) -> Any:
        sql, params = super().as_sql(compiler, connection, template=template, **extra)
        return sql, (*params, *params)


def place() -> Case:
    """The expression of `Ticket.place`."""
    since = Microseconds(Coalesce("waiting_since", "updated_at"))
    waiting = [
        When(waiting_since__isnull=False, priority=priority, then=Value(digit * STEP) + since)
        for priority, digit in _WAITING.items()
    ]
    return Case(
        When(status="closed", then=Value(_CLOSED * STEP) + since),
        When(status="resolved", then=Value(_RESOLVED * STEP) + since),
        When(due_at__isnull=False, then=Microseconds(F("due_at"))),
        *waiting,
        default=Value(_ANSWERED * STEP) + since,
        output_field=BigIntegerField(),
    )
