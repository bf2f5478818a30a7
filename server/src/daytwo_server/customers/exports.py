"""Everything that is known about a customer, in one document. Each room that keeps something adds its part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from daytwo_server.core import clock
from daytwo_server.customers.models import Customer

Part = Callable[[Customer], Any]
_parts: dict[str, Part] = {}


def register(name: str, part: Part) -> None:
    """Have `part` give what its room keeps about a customer, as plain values for JSON, under this name."""
    _parts[name] = part


def of_customer(customer: Customer) -> dict[str, Any]:
    """The whole document."""
    organization = customer.organization
    who = {
        "id": customer.pk,
        "userId": customer.user_id,
        "email": customer.email,
        "emailVerified": customer.email_verified,
        "name": customer.name,
        "plan": customer.plan,
        "organizationId": organization.external_id if organization else None,
        "firstSeen": customer.first_seen,
        "lastSeen": customer.last_seen,
    }
    return {"exportedAt": clock.now(), "customer": who} | {
        name: part(customer) for name, part in sorted(_parts.items())
    }
