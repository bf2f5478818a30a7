"""What other systems are told of tickets (`webhooks.events`): the ticket as `GET /api/v1/tickets` has it, and what was
said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daytwo_server.tickets.models import Message
from daytwo_server.tickets.selectors import tickets as selectors
from daytwo_server.webhooks import events


def register() -> None:
    """Called when the room is loaded."""
    for name, text in (
        ("ticket.opened", "A ticket was opened"),
        ("ticket.replied", "A customer or an agent replied"),
        ("ticket.status_changed", "The status of a ticket changed"),
        ("ticket.assigned", "A ticket was given to somebody, or to nobody"),
        ("ticket.priority_changed", "The priority of a ticket changed"),
        ("ticket.rated", "A customer said how it went"),
    ):
        events.register(name, text, build)


def build(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The ticket, the `message` that was said where there is one, and the other ids as they were noted. Notes are never
    among it. None when the ticket or its customer was erased.
    """
    from daytwo_server.tickets.api.told import message_told, tickets_told  # 10 MB that a digest has no use for

    ticket = selectors.ticket(str(data["ticket"]))
    if ticket is None or ticket.customer.erased_at is not None:
        return None
    told = {"ticket": tickets_told([ticket])[0].model_dump(mode="json", by_alias=True)}
    told |= {name: value for name, value in data.items() if name not in {"ticket", "message"}}
    if "message" in data:
        said = selectors.conversation(ticket)
        message = next((one for one in said if one.pk == data["message"] and one.kind == Message.Kind.PUBLIC), None)
        if message is None:
            return None
        told["message"] = message_told(message, ticket).model_dump(mode="json", by_alias=True)
    return told
