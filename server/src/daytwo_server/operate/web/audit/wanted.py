"""The part of the audit log that an address asks for."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from daytwo_server.accounts.http import viewer
from daytwo_server.core.ref import Ref
from daytwo_server.operate import selectors
from daytwo_server.ui.listing import Address

FILTERS = ("actor", "action", "object", "since", "until")


def listing_of(request: HttpRequest) -> Address:
    """Raises `BadFilter`."""
    return Address.of(reverse("operate:audit"), request.GET, filters=FILTERS, parse=selectors.AUDIT.parse)


def wanted_of(request: HttpRequest, listing: Address) -> selectors.Searched:
    return selectors.Searched(asked=listing.asked, me=viewer(request).email)


def pointed_at(text: str) -> Ref | None:
    """What `kind:id` names; None for no text."""
    kind, _, number = text.partition(":")
    return Ref(kind, number) if text else None
