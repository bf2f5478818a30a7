"""Mail, both directions: addresses, letters, deliveries. See docs/how-to/mail.md.

Out: `mail.services.queue(...)` in the transaction that makes the mail necessary. In: a room above registers itself with
`mail.receive(function)`; every route ends in `mail.intake.accept`. This room knows nothing of what mails are about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from daytwo_server.mail.letter import Address, Envelope, File, Hit, Kind, Letter, Outcome, Result

if TYPE_CHECKING:
    from daytwo_server.mail.models import InboundMail

__all__ = [
    "Address", "Envelope", "File", "Hit", "Kind", "Letter", "Outcome", "Receiver", "Result", "receive", "receiver",
]  # fmt: skip

Receiver = Callable[[Letter, "InboundMail"], Outcome]

_receivers: list[Receiver] = []


def receive(function: Receiver) -> Receiver:
    """Give letters to this function, in a transaction of its own each. There is one: a second takes its place.

    What it writes takes effect exactly once. When it raises, nothing does, and the mail is kept in quarantine.
    """
    _receivers[:] = [function]
    return function


def receiver() -> Receiver | None:
    """The one that is registered; None when no room takes mail."""
    return _receivers[0] if _receivers else None
