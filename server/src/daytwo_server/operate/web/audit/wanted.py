"""The part of the audit log that an address asks for."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from daytwo_server.core import audit
from daytwo_server.core.query import BadFilter
from daytwo_server.core.ref import Ref
from daytwo_server.operate.web.common import Address

PARAMS = ("actor", "action", "object", "since", "until")


def address_of(request: HttpRequest) -> Address:
    return Address.of(reverse("operate:audit"), request.GET, PARAMS)


def wanted_of(address: Address) -> audit.Wanted:
    """Raises `BadFilter`."""
    actor, ref = address.get("actor"), address.get("object")
    who = Ref("system", "") if actor == "system" else pointed_at("actor", actor)
    return audit.Wanted(
        action=address.get("action"),
        actor_kind=who.kind if who else "",
        actor_id=who.id if who else "",
        ref=pointed_at("object", ref),
        since=address.since(),
        until=address.until(),
    )


def pointed_at(name: str, text: str) -> Ref | None:
    """What `kind:id` names; None for no text. Raises `BadFilter`."""
    kind, _, number = text.partition(":")
    if text and not (kind and number):
        raise BadFilter(name, f"{text} names nobody and nothing; write it like issue:7.")
    return Ref(kind, number) if text else None
