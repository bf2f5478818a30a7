"""Components."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from daytwo_server.accounts.models import Membership, User
from daytwo_server.catalog.models import Component


def components(*, archived: bool = False) -> QuerySet[Component]:
    """Those in use, or the archived ones, by name, with their projects and owners. Two queries."""
    return _with_people(Component.objects.filter(archived_at__isnull=not archived)).order_by("name", "pk")


def component(slug: str) -> Component | None:
    """One component, archived or not, with project and owners."""
    return _with_people(Component.objects.filter(slug=slug)).first() if "\x00" not in slug else None


def owners_of() -> list[User]:
    """The members who can own one: those who can sign in, by name."""
    members = Membership.objects.filter(user__is_active=True).select_related("user")
    return sorted((member.user for member in members), key=lambda user: str(user).casefold())


def _with_people(found: QuerySet[Component]) -> QuerySet[Component]:
    owners = Prefetch("owners", queryset=User.objects.order_by("name", "pk"))
    return found.select_related("project").prefetch_related(owners)
