"""Jobs by state."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from daytwo_server.core import query
from daytwo_server.core.models import Job
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import BadFilter, Query

REACT = "core.react"
_SOONEST_FIRST = frozenset({Job.State.READY, Job.State.LEASED})


def _of_fact(number: str) -> Q:
    if not number.isdecimal():
        raise BadFilter("fact", f"{number} is no number of a fact.")
    return Q(kind=REACT, args__startswith=f'{{"fact":{number},')


def _words(text: str) -> Q:
    """Of a reaction also what it does. Other arguments may hold what people are not to find out by trying."""
    return query.all_words(
        text,
        lambda word: Q(kind__icontains=word) | Q(error__icontains=word) | Q(kind=REACT, args__icontains=word),
    )


JOBS = query.language("jobs", {"kind": query.exactly("kind"), "fact": _of_fact}, words=_words)


def dead_letters() -> QuerySet[Job]:
    """Those that failed for good and that nobody has decided about."""
    return Job.objects.filter(state=Job.State.DEAD)


def jobs(state: str, asked: Query | None = None, *, cursor: str = "", limit: int = 50) -> Page[Job]:
    """One page. Waiting ones that run soonest come first, failed ones that failed last.

    Raises `BadFilter`, `BadCursor`.
    """
    found = JOBS.narrow(Job.objects.filter(state=state), asked or Query())
    return page(found, by="run_at", cursor=cursor, limit=limit, ascending=state in _SOONEST_FIRST)
