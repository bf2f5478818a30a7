"""Everything that is known about a customer, in one document. Each room that keeps something adds its part.

It is for `core.longjson`: what may be long is an iterator, and files and mails are read when their turn comes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from daytwo_server.core import clock
from daytwo_server.core.longjson import Base64
from daytwo_server.customers.models import Customer
from daytwo_server.customers.selectors import own_address
from daytwo_server.mail import intake
from daytwo_server.mail import selectors as mail
from daytwo_server.mail.models import Delivery, InboundMail

Part = Callable[[Customer], Any]
_parts: dict[str, Part] = {}


def register(name: str, part: Part) -> None:
    """Have `part` give what its room keeps about a customer, as values for `core.longjson`, under this name."""
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
    parts = {name: part(customer) for name, part in sorted(_parts.items())}
    address = own_address(customer)
    found = mail.kept_apart(address) if address else ()
    apart = [came(one) | {"result": one.result, "reason": one.reason} for one in found]
    return {"exportedAt": clock.now(), "customer": who, "mail": apart} | parts


def came(mail: InboundMail) -> dict[str, Any]:
    """A mail as it arrived."""
    return {
        "receivedAt": mail.received_at,
        "from": mail.sender,
        "subject": mail.subject,
        "size": mail.size,
        "contentBase64": Base64(partial(intake.raw_parts, mail)),
    }


def went(mail: Delivery) -> dict[str, Any]:
    """A mail to them, and how it fared (`Delivery.fate`)."""
    return {
        "to": mail.to,
        "subject": mail.subject,
        "createdAt": mail.created_at,
        "state": mail.fate,
        "text": mail.text,
    }
