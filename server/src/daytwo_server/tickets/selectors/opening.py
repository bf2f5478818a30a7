"""For whom a ticket is opened."""

from __future__ import annotations

from django.db.models import Q

from daytwo_server.core import search
from daytwo_server.customers.models import Customer

OFFERED = 8


def customer_called(text: str) -> Customer | None:
    """Whom somebody means by an id of the SaaS or an address, the one who was seen last; those whose address is
    verified before others.
    """
    name = text.strip()
    if not name or not name.isprintable():
        return None
    who = Customer.objects.filter(Q(key=f"id:{name}") | Q(email=name.lower()), erased_at=None)
    return who.select_related("organization").order_by("-email_verified", "-last_seen", "pk").first()


def customers_like(text: str) -> list[Customer]:
    """The customers with an address or an id whose words begin so; without words, those who were seen last."""
    known = Customer.objects.filter(erased_at=None).select_related("organization")
    if text:
        known = known.filter(pk__in=search.ids("customer", text, OFFERED))
    return list(known.order_by("-last_seen", "-pk")[:OFFERED])
