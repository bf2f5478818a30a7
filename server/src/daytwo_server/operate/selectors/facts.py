"""Facts, newest first."""

from __future__ import annotations

import json

from django.db.models import Q

from daytwo_server.core import facts as recorded
from daytwo_server.core import query
from daytwo_server.core.models import Fact, Job
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import BadFilter, Query
from daytwo_server.operate.selectors.jobs import REACT


def _about(thing: str) -> Q:
    """Facts with a field that is named like the object's kind and holds its id."""
    kind, _, number = thing.partition(":")
    if not (kind and number):
        raise BadFilter("object", f"{thing} names nothing; write it like issue:7.")
    field = f'"{kind}":{number if number.isdecimal() else json.dumps(number)}'
    return query.any_of(Q(data__contains=f"{field}{end}") for end in ",}")


def _with_reaction(state: Job.State) -> Q:
    """Those with a reaction whose job is in this state, by the latest of them."""
    rows = Job.objects.filter(kind=REACT, state=state).order_by("-run_at").values_list("args", flat=True)
    return Q(pk__in=[json.loads(args).get("fact") for args in rows[: query.MAX_FOUND]])


_STATES = {"failed": Job.State.DEAD, "pending": Job.State.READY}


def _is(state: str) -> Q:
    if state not in _STATES:
        raise BadFilter("is", f"There is no is:{state}; use is:failed or is:pending.")
    return _with_reaction(_STATES[state])


def _words(text: str) -> Q:
    """In the names of facts, as they are and as the page writes them."""
    names = {name: name.casefold() for name in recorded.names()}
    return query.all_words(
        text, lambda word: Q(name__in=[name for name, folded in names.items() if word.casefold() in folded])
    )


FACTS = query.language(
    "facts",
    {
        "name": query.exactly("name"),
        "fact": query.number("fact", "pk", "a fact"),
        "object": _about,
        "is": _is,
        "since": query.since("at"),
        "until": query.until("at"),
    },
    words=_words,
)


def facts(asked: Query | None = None, *, cursor: str = "", limit: int = 50) -> Page[Fact]:
    """One page, newest first. Raises `BadFilter`, `BadCursor`."""
    return page(FACTS.narrow(Fact.objects.all(), asked or Query()), by="at", cursor=cursor, limit=limit)
