"""The page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require
from daytwo_server.core import audit, ref
from daytwo_server.core.pages import page
from daytwo_server.core.ref import Ref
from daytwo_server.operate.web.audit.lines import SYSTEM, lines
from daytwo_server.operate.web.audit.wanted import address_of, pointed_at, wanted_of
from daytwo_server.operate.web.common import Address, refusing_bad_filters

KINDS = ("csv", "jsonl")


@require("audit.view")
@require_safe
@refusing_bad_filters
def audit_log(request: HttpRequest) -> HttpResponse:
    """Newest first; `?actor=user:7`, `?action=errors:issue:resolved` or its beginning, `?object=issue:7`, `?since=`
    and `?until=` (days), `?cursor=`.
    """
    address = address_of(request)
    found = page(wanted_of(address).found(), by="at", cursor=request.GET.get("cursor", ""))
    actors = ref.resolve_many(audit.actors())
    shown = {
        "lines": lines(found.rows),
        "address": address.params,
        "actors": [(f"{who.kind}:{who.id}", _who(who)) for who in sorted(actors, key=lambda who: _who(who).lower())],
        "actions": _choices(audit.actions()),
        "chips": address.chips(_words(address, actors)) if address.params else [],
        "files": [
            (kind, Address(reverse("operate:audit-export", args=[kind]), address.params).url()) for kind in KINDS
        ],
        **address.pager(found),
    }
    return render(request, "operate/audit.html", shown)


def _who(actor: Ref) -> str:
    return actor.title if actor.kind == "user" else f"{actor.title} ({actor.kind})"


def _choices(actions: Sequence[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """By room the actions that were ever recorded, and the whole of it."""
    rooms = sorted({action.partition(":")[0] for action in actions})
    return [
        (room, [(f"{room}:", f"everything in {room}"), *((one, _did(one)) for one in actions if _room(one) == room)])
        for room in rooms
    ]


def _room(action: str) -> str:
    return action.partition(":")[0]


def _did(action: str) -> str:
    return audit.sentence(action)[0]


def _words(address: Address, actors: Sequence[Ref]) -> dict[str, tuple[str, str]]:
    """What the filters in force are called."""
    names = {f"{who.kind}:{who.id}": _who(who) for who in actors} | {"system": SYSTEM.title}
    action = address.get("action")
    return {
        "actor": ("Who", names.get(address.get("actor"), address.get("actor"))),
        "action": ("What", f"everything in {action[:-1]}" if action.endswith(":") else _did(action)),
        "object": ("Object", _title(pointed_at("object", address.get("object")))),
        "since": ("From", address.get("since")),
        "until": ("Until", address.get("until")),
    }


def _title(wanted: Ref | None) -> Any:
    if wanted is None:
        return ""
    try:
        return ref.resolve_many([wanted])[0].title
    except (ValueError, OverflowError):  # whoever wrote the address gave no number for a kind that has numbers
        return f"{wanted.kind} {wanted.id}"
