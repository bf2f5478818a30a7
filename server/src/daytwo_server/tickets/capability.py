"""The signed link to one ticket that stands in the mail about it: who holds it reads that ticket, answers and rates.

It is no way to sign in and shows no other ticket, except the one that it was merged into, which is the same customer's.
It names the address that it was mailed to, so it ends when the customer's address changes, and when they are erased;
and it ends some days after the ticket was closed. The pages behind it belong to a room above, which says where they
are.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable

from daytwo_server.core import clock
from daytwo_server.core.signing import Signer
from daytwo_server.tickets.models import Ticket

ENDS_AFTER = dt.timedelta(days=30)  # after the ticket was closed
MAC_BYTES = 24
TOKEN = r"[0-9]{1,18}-[\w-]{32}"  # noqa: S105 - the form of one; no id of ours looks so
_TOKEN = re.compile(r"([0-9]{1,18})-([\w-]{32})", re.ASCII)

_SIGNER = Signer("tickets", "capability", length=MAC_BYTES)
_page: Callable[[str], str] | None = None


def leads_to(page: Callable[[str], str]) -> None:
    """Register what makes an address for outside of a token; "" while there is no such page."""
    global _page  # noqa: PLW0603 - one room has these pages
    _page = page


def link(ticket: Ticket) -> str:
    """The address of the ticket for its customer; "" when there are no pages for customers."""
    return _page(token(ticket)) if _page else ""


def token(ticket: Ticket) -> str:
    """The word that opens this ticket to whom its mail goes. One query, unless the customer is loaded."""
    return f"{ticket.pk}-{base64.urlsafe_b64encode(_SIGNER.sign(_named(ticket))).decode()}"


def read(text: str) -> Ticket | None:
    """The ticket that a token opens, with its customer and organization; None for one that we did not sign or that has
    ended.
    """
    match = _TOKEN.fullmatch(text)
    with_all = Ticket.objects.select_related("customer", "organization", "follow_up_of", "merged_into")
    ticket = with_all.filter(pk=int(match[1])).first() if match else None
    if match is None or ticket is None or not _SIGNER.is_signed(_named(ticket), base64.urlsafe_b64decode(match[2])):
        return None
    if ticket.merged_into_id is not None:
        ticket = with_all.filter(pk=ticket.merged_into_id, customer=ticket.customer_id).first()
    if ticket is None or (ticket.closed_at is not None and clock.now() - ticket.closed_at > ENDS_AFTER):
        return None
    return ticket


def _named(ticket: Ticket) -> bytes:
    return f"{ticket.pk}\x00{ticket.customer_id}\x00{ticket.customer.email}".encode()
