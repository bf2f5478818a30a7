"""Components."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet

from daytwo_server.accounts.models import User
from daytwo_server.accounts.selectors import person_id
from daytwo_server.catalog.models import Component
from daytwo_server.catalog.selectors.projects import of_project
from daytwo_server.core import query
from daytwo_server.core.pages import Page, page
from daytwo_server.core.query import Query

PAGE = 50


def _owned_by(email: str) -> Q:
    if email == "none":
        return Q(owners=None)
    # By id: a condition on the owners themselves would name a component once for each of them.
    return Q(pk__in=Component.owners.through.objects.filter(user=person_id("owner", email)).values("component"))


COMPONENTS = query.language(
    "components",
    {
        "owner": _owned_by,
        "team": lambda team: Q(team__iexact=team),
        "project": of_project,
    },
    words=query.parts_of("name", "slug", "team", "description"),  # the index knows no archived ones
    people={"owner"},
)


def components(
    asked: Query | None = None, *, archived: bool = False, me: str = "", cursor: str = "", limit: int = PAGE
) -> Page[Component]:
    """One page of those in use, or of the archived ones, by name, with their projects and owners. Two queries.

    Raises `BadFilter`, `BadCursor`.
    """
    found = COMPONENTS.narrow(Component.objects.filter(archived_at__isnull=not archived), asked or Query(), me=me)
    return page(_with_people(found), by="name", ascending=True, cursor=cursor, limit=limit)


def component(slug: str) -> Component | None:
    """One component, archived or not, with project and owners."""
    return _with_people(Component.objects.filter(slug=slug)).first() if "\x00" not in slug else None


def _with_people(found: QuerySet[Component]) -> QuerySet[Component]:
    owners = Prefetch("owners", queryset=User.objects.order_by("name", "pk"))
    return found.select_related("project").prefetch_related(owners)
