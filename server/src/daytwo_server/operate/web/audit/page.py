"""The page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import LISTED
from daytwo_server.accounts.permissions import require
from daytwo_server.core import audit, ref
from daytwo_server.core.pages import page
from daytwo_server.core.ref import Ref
from daytwo_server.operate.web.audit.lines import SYSTEM, lines
from daytwo_server.operate.web.audit.wanted import listing_of, pointed_at, wanted_of
from daytwo_server.ui.listing import Address, address, refusing_bad_filters

KINDS = ("csv", "jsonl")


@require("audit.view")
@require_safe
@refusing_bad_filters(views="audit")
def audit_log(request: HttpRequest) -> HttpResponse:
    """Newest first; `?q=`, `?actor=user:7`, `?action=errors:issue:resolved` or its beginning, `?object=issue:7`,
    `?since=` and `?until=` (days), `?cursor=`.
    """
    listing = listing_of(request)
    found = page(wanted_of(request, listing).found(), by="at", cursor=request.GET.get("cursor", ""))
    shown = {
        "lines": lines(found.rows),
        "files": [(kind, address(reverse("operate:audit-export", args=[kind]), **listing.params)) for kind in KINDS],
        **_bar(listing),
        **listing.pager(found),
    }
    return render(request, "operate/audit.html", shown)


def _bar(listing: Address) -> dict[str, Any]:
    return listing.bar(
        _actors(listing),
        listing.choice("action", "What", _choices(audit.actions())),
        listing.day("since", "From"),
        listing.day("until", "Until"),
        words=_words(listing) if listing.params else None,
    )


def _actors(listing: Address) -> dict[str, Any]:
    known = audit.actors()
    if len(known) > LISTED:
        return listing.completed("actor", "Who", reverse("people"), "me, system, name or e-mail")
    actors = sorted(ref.resolve_many(known), key=lambda who: _who(who).casefold())
    people = [(f"{who.kind}:{who.id}", _who(who)) for who in actors]
    return listing.choice("actor", "Who", [*people, ("system", SYSTEM.title)])


def _who(actor: Ref) -> str:
    return actor.title if actor.kind == "user" else f"{actor.title} ({actor.kind})"


def _choices(actions: Sequence[str]) -> list[tuple[str, str]]:
    """By room the whole of it, and the actions in it that were ever recorded."""
    rooms = {f"{action.partition(':')[0]}:" for action in actions}
    return [(one, _did(one)) for one in sorted({*actions, *rooms})]


def _did(action: str) -> str:
    return f"everything in {action[:-1]}" if action.endswith(":") else audit.sentence(action)[0]


def _words(listing: Address) -> dict[str, tuple[str, str]]:
    """What the filters in force are called."""
    actor = listing.get("actor")
    return {
        "actor": ("Who", _called(actor)),
        "action": ("What", _did(listing.get("action"))),
        "object": ("Object", _title(pointed_at(listing.get("object")))),
        "since": ("From", listing.get("since")),
        "until": ("Until", listing.get("until")),
    }


def _called(actor: str) -> str:
    if actor == "system":
        return SYSTEM.title
    return _who(ref.resolve_many([Ref(*actor.split(":", 1))])[0]) if re.fullmatch(r"\w+:\d{1,18}", actor) else actor


def _title(wanted: Ref | None) -> Any:
    if wanted is None:
        return ""
    try:
        return ref.resolve_many([wanted])[0].title
    except (ValueError, OverflowError):  # whoever wrote the address gave no number for a kind that has numbers
        return f"{wanted.kind} {wanted.id}"
