"""What people do with issues. Every change keeps what it replaced, so that it can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from daytwo_server.accounts.models import ApiToken, Membership, User
from daytwo_server.core import audit, clock, facts, live
from daytwo_server.core.ref import Ref
from daytwo_server.errors.facts import IssueTriaged
from daytwo_server.errors.models import Activity, Issue
from daytwo_server.errors.services.absorb import LISTS_TOPIC, issue_topic

Status = Issue.Status
Actor = User | ApiToken
_KINDS = {
    Status.RESOLVED: Activity.Kind.RESOLVED,
    Status.IGNORED: Activity.Kind.IGNORED,
    Status.UNRESOLVED: Activity.Kind.UNRESOLVED,
}


class NotAMember(ValueError):
    """The person cannot be assigned: no member of this workspace has that address."""


def resolve(issues: Iterable[int], *, actor: Actor) -> list[Activity]:
    """Close the issues; an event that arrives later opens them again as regressed."""
    return _set_status(issues, Status.RESOLVED, actor=actor)


def ignore(issues: Iterable[int], *, actor: Actor) -> list[Activity]:
    """Silence the issues; they keep counting and stay ignored."""
    return _set_status(issues, Status.IGNORED, actor=actor)


def unresolve(issues: Iterable[int], *, actor: Actor) -> list[Activity]:
    """Open the issues again."""
    return _set_status(issues, Status.UNRESOLVED, actor=actor)


@transaction.atomic
def assign(issues: Iterable[int], email: str | None, *, actor: Actor) -> list[Activity]:
    """Give the issues to a member, or to nobody. Raises `NotAMember`."""
    assignee = _member(email) if email else None
    changed = []
    for issue in _in_order(issues).exclude(assignee=assignee):
        before, after = {"assignee": issue.assignee_id}, {"assignee": assignee.pk if assignee else None}
        if before != after and Issue.objects.filter(pk=issue.pk).update(assignee=assignee):
            changed.append(_log(issue.pk, Activity.Kind.ASSIGNED, actor=actor, before=before, after=after))
    _announce(changed)
    return changed


@transaction.atomic
def undo(activities: Iterable[int], *, actor: User) -> int:
    """Take back changes of this person; one that somebody changed again since is left alone. Returns how many."""
    undone = []
    for activity in Activity.objects.filter(pk__in=list(activities), actor=actor).order_by("issue", "pk"):
        if not activity.before:
            continue
        field = "assignee_id" if activity.kind == Activity.Kind.ASSIGNED else "status"
        key = "assignee" if activity.kind == Activity.Kind.ASSIGNED else "status"
        before, after = activity.before[key], activity.after[key]
        values: dict[str, Any] = {field: before}
        if key == "status":
            values["status_at"] = clock.now()
        if Issue.objects.filter(pk=activity.issue_id, **{field: after}).update(**values):
            kind = Activity.Kind.ASSIGNED if key == "assignee" else _KINDS[Status(before)]
            undone.append(_log(activity.issue_id, kind, actor=actor, before={key: after}, after={key: before}))
    _announce(undone)
    return len(undone)


@transaction.atomic
def _set_status(issues: Iterable[int], status: Issue.Status, *, actor: Actor) -> list[Activity]:
    """One conditional update per issue, so that two people pressing at once leave one change and one line."""
    now = clock.now()
    changed = []
    for issue in _in_order(issues).exclude(status=status).only("pk", "status"):
        if Issue.objects.filter(pk=issue.pk, status=issue.status).update(status=status, status_at=now):
            before, after = {"status": issue.status}, {"status": status.value}
            changed.append(_log(issue.pk, _KINDS[status], actor=actor, before=before, after=after))
    _announce(changed)
    return changed


def _in_order(issues: Iterable[int]) -> QuerySet[Issue]:
    """In the order in which the digest takes them too: two writers that lock rows in one order cannot deadlock."""
    return Issue.objects.filter(pk__in=list(issues)).order_by("pk")


def _log(issue: int, kind: Activity.Kind, *, actor: Actor, before: dict[str, Any], after: dict[str, Any]) -> Activity:
    """The activity line, the audit entry and the fact of one change."""
    person = actor if isinstance(actor, User) else actor.created_by
    activity = Activity.objects.create(
        issue_id=issue, at=clock.now(), kind=kind, actor=person, before=before, after=after
    )
    audit.record(f"errors:issue:{kind}", actor=actor, ref=Ref("issue", issue), before=before, after=after)
    facts.record(IssueTriaged(issue=issue, change=str(kind)))
    return activity


def _announce(changed: Sequence[Activity]) -> None:
    """Tell open pages, last in the transaction: the digest bumps the same topics after it has taken the issues."""
    if changed:
        live.bump(LISTS_TOPIC, *{issue_topic(activity.issue_id) for activity in changed})


def _member(email: str) -> User:
    member = None
    if email.isprintable():  # PostgreSQL refuses to look for a NUL or half a character
        member = Membership.objects.select_related("user").filter(user__email__iexact=email).first()
    if member is None:
        raise NotAMember(f"{email!r} is no member of this workspace; pick a member or leave the assignee empty.")
    user: User = member.user
    return user
