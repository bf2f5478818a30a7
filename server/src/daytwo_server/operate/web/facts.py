"""What happened, and what reacted to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require
from daytwo_server.core import facts, masking, ref
from daytwo_server.core.facts import Outcome, UnknownFact
from daytwo_server.core.models import Fact, Job
from daytwo_server.core.ref import Ref
from daytwo_server.operate import selectors
from daytwo_server.operate.web import words
from daytwo_server.ui.listing import Address, refusing_bad_filters

FILTERS = ("name", "since", "until", "fact")
# state of a reaction: (word, tone)
_STATES: dict[str, tuple[str, str]] = {
    "done": ("Done", "ok"),
    Job.State.READY: ("Pending", "degraded"),
    Job.State.LEASED: ("Running", "maintenance"),
    Job.State.DEAD: ("Failed", "major"),
    Job.State.DISCARDED: ("Discarded", ""),
}


@require("operate.view")
@require_safe
@refusing_bad_filters(views="facts")
def fact_list(request: HttpRequest) -> HttpResponse:
    """Newest first; `?q=`, `?name=`, `?since=` and `?until=` (days), `?fact=` (a number), `?cursor=`."""
    listing = Address.of(reverse("operate:facts"), request.GET, filters=FILTERS, parse=selectors.FACTS.parse)
    page = selectors.facts(listing.asked, cursor=request.GET.get("cursor", ""))
    return render(request, "operate/facts.html", {"rows": _rows(page.rows), **_bar(listing), **listing.pager(page)})


def _bar(listing: Address) -> dict[str, Any]:
    return listing.bar(
        listing.choice("name", "Fact", [(name, words.fact(name)) for name in facts.names()]),
        listing.day("since", "From"),
        listing.day("until", "Until"),
        words={
            "name": ("Fact", words.fact(listing.get("name"))),
            "since": ("From", listing.get("since")),
            "until": ("Until", listing.get("until")),
            "fact": ("Number", listing.get("fact")),
        },
    )


def _rows(page: Sequence[Fact]) -> list[dict[str, Any]]:
    """The facts with their fields, objects among them by their titles, and what became of their reactions."""
    outcomes = facts.outcomes(page)
    fields = [list(_fields(fact)) for fact in page]
    titles = iter(ref.resolve_many(value for some in fields for _, value in some if isinstance(value, Ref)))
    return [
        {
            "fact": fact,
            "title": words.fact(fact.name),
            "fields": [(name, next(titles) if isinstance(value, Ref) else Ref("", "", value)) for name, value in some],
            "readable": not isinstance(facts.load(fact), UnknownFact),
            "reactions": [_reaction(one) for one in outcomes[fact.pk]],
            "noted": fact.reactions is not None,
        }
        for fact, some in zip(page, fields, strict=True)
    ]


def _fields(fact: Fact) -> Iterator[tuple[str, Ref | str]]:
    """Names and values. A field that is named like a kind of object holds the id of one."""
    data = masking.mask(facts.data_of(fact))
    known = ref.kinds()
    for name, value in (data if isinstance(data, dict) else {"data": data}).items():
        is_id = name in known and type(value) is int and 0 < value < 2**63
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield name.replace("_", " "), Ref(name, value) if is_id else text


def _reaction(outcome: Outcome) -> dict[str, Any]:
    word, tone = _STATES[outcome.state]
    return {"title": words.reaction(outcome.reaction), "word": word, "tone": tone, "job": outcome.job}
