"""What a room keeps in files beside the stores. Rooms register theirs when they are loaded; none is known by name here.

A file in the data directory that no part names and that is not a store or the secret key is not backed up: it must be
something that is made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

# Rows of a statement without parameters, from the pinned moment of the store `default`.
Ask = Callable[[str], list[tuple[Any, ...]]]


class Part(Protocol):
    """One folder of the data directory."""

    folder: str

    def before(self, live: Path, staged: Path) -> None:
        """Set aside in `staged` what may be gone by the time the stores are pinned. `live` may not exist."""

    def after(self, live: Path, staged: Path, ask: Ask) -> None:
        """The stores are pinned: complete `staged`, and leave out what `default` holds already.

        What stays there is the part's share of the archive, and all that `live` has after a restore.
        """

    def count(self, restored: Path, ask: Ask) -> dict[str, int]:
        """What a restored folder holds, in words and numbers for people. `ask` asks the restored store `default`."""

    def is_held(self, live: Path) -> str:
        """Who uses the folder now, in words; empty for nobody."""


_parts: list[Part] = []


def register(part: Part) -> None:
    """Make the part's folder a part of every backup."""
    if all(known.folder != part.folder for known in _parts):
        _parts.append(part)


def registered() -> list[Part]:
    return list(_parts)
