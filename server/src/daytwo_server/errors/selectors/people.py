"""Who was given an issue."""

from __future__ import annotations

from collections.abc import Iterable

from daytwo_server.accounts.models import User


def people(ids: Iterable[int]) -> list[User]:
    """The people with these ids, members still or not."""
    return list(User.objects.filter(pk__in=set(ids)))
