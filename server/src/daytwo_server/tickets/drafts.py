"""Under which keys what agents are writing in a ticket is kept."""

from __future__ import annotations

import re

_REPLY = re.compile(r"ticket\.(\d{1,18})\.reply")


def reply_key(number: int) -> str:
    """Of an answer."""
    return f"ticket.{number}.reply"


def answered_by(key: str) -> int | None:
    """The number of the ticket whose answer is kept under that key."""
    found = _REPLY.fullmatch(key)
    return int(found[1]) if found else None


def note_key(number: int) -> str:
    """Of an internal note."""
    return f"ticket.{number}.note"
