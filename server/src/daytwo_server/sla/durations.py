"""Lengths of working time as people write them."""

from __future__ import annotations

import re

MAX_HOURS = 10_000
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(hours?|h|minutes?|min|m)", re.IGNORECASE)


class Unreadable(ValueError):
    """It is no length of time; the text says how to write one."""


def read(text: str) -> int | None:
    """A length like "1 h 30 min", "4h" or "45 min" in seconds; None for nothing.

    There are no days: one of eight hours is not one of twenty-four. Raises `Unreadable`.
    """
    rest = text.strip()
    if not rest:
        return None
    seconds = 0.0
    for number, unit in _PART.findall(rest):
        seconds += float(number) * (3600 if unit[0] in "hH" else 60)
    if _PART.sub("", rest).strip(" ,"):
        raise Unreadable(f"{rest[:40]!r} is no length of time; write it in hours and minutes, like 1 h 30 min.")
    if not 60 <= seconds <= MAX_HOURS * 3600:
        raise Unreadable(f"It has to be between 1 min and {MAX_HOURS} h.")
    return int(seconds)


def write(seconds: int | None) -> str:
    """The same as `read` reads."""
    if seconds is None:
        return ""
    hours, minutes = divmod(seconds // 60, 60)
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]))
