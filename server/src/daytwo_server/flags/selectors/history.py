"""What changed, newest first."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from daytwo_server.core.pages import Page, page
from daytwo_server.flags.models import Change, Flag


def changes(flag: Flag, *, cursor: str = "", limit: int = 50) -> Page[Change]:
    """One page of a flag's changes, in all environments. Raises `BadCursor`."""
    return page(_of(flag), by="pk", cursor=cursor, limit=limit)


def latest(flag: Flag, environment: int | None, *, limit: int) -> list[Change]:
    """The last ones that hold in an environment."""
    here = Q(environment=environment) | Q(environment=None)
    return list(_of(flag).filter(here).order_by("-pk")[:limit])


def change(pk: int) -> Change | None:
    """One change, with its flag."""
    return Change.objects.select_related("flag", "flag__project", "environment", "user").filter(pk=pk).first()


def since(flag: Flag, environment: int | None, revision: int, *, limit: int = 5) -> list[Change]:
    """What was changed after a revision, the latest first: what somebody who looked at that one has not seen."""
    here = Q(environment=environment) | Q(environment=None)
    return list(_of(flag).filter(here, revision__gt=revision).order_by("-pk")[:limit])


def _of(flag: Flag) -> QuerySet[Change]:
    return Change.objects.filter(flag=flag).select_related("environment", "user")
