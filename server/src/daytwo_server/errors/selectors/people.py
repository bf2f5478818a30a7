"""Who can be given an issue."""

from __future__ import annotations

from collections.abc import Iterable

from daytwo_server.accounts.models import Membership, User


def assignable() -> list[User]:
    """The members who can sign in, by name."""
    members = Membership.objects.filter(user__is_active=True).select_related("user")
    return sorted((member.user for member in members), key=lambda user: str(user).casefold())


def people(ids: Iterable[int]) -> list[User]:
    """The people with these ids, members still or not."""
    return list(User.objects.filter(pk__in=set(ids)))
