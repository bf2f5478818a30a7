"""Flags of other systems in the words of ours. What ours cannot say is named, never approximated.

Pure: `read` takes what the other system wrote and gives flags for `services.importing` to save.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from daytwo_server.flags.importing import flagd, reference, unleash
from daytwo_server.flags.importing.parsed import Parsed, Unreadable

__all__ = ["FORMATS", "Parsed", "Unreadable", "read"]

FORMATS: dict[str, Callable[[Any, str], Parsed]] = {
    "unleash": unleash.read,
    "flagd": flagd.read,
    "reference": reference.read,
}


def read(format_: str, data: Any, environment: str) -> Parsed:
    """What a file holds of that environment. Raises `Unreadable` when it is no such file at all."""
    return FORMATS[format_](data, environment)
