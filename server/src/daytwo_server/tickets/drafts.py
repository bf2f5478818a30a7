"""Under which keys what agents are writing in a ticket is kept."""

from __future__ import annotations


def reply_key(number: int) -> str:
    """Of an answer."""
    return f"ticket.{number}.reply"


def note_key(number: int) -> str:
    """Of an internal note."""
    return f"ticket.{number}.note"
