"""Who keeps something of customers, and therefore has to forget them; see `customers.jobs`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import models

from daytwo_server.customers.models import Customer


@dataclass(frozen=True)
class Keeper:
    """A room that keeps more of a customer than the id.

    `forget` takes a customer's id and returns when the room has nothing left; it may be called again at any time.
    `at_once` takes the customer in the transaction that erases them, and has to be quick: for a room that knows people
    only by what is gone after that. `tables` are those it deletes from.
    """

    name: str
    forget: Callable[[int], None] | None
    tables: tuple[type[models.Model], ...]
    at_once: Callable[[Customer], None] | None = None


_keepers: dict[str, Keeper] = {}


def register(keeper: Keeper) -> None:
    """Have this room asked to forget, too."""
    _keepers[keeper.name] = keeper


def keepers() -> list[Keeper]:
    """In the order of their names."""
    return [_keepers[name] for name in sorted(_keepers)]
