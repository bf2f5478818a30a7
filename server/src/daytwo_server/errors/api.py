"""`/api/v1/issues` and `/api/v1/events`."""

import re

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from ninja import Router
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.accounts.http import absolute
from daytwo_server.catalog.api.common import checked_limit, invalid
from daytwo_server.core.pages import BadCursor
from daytwo_server.core.query import BadFilter, Query, Term
from daytwo_server.errors import services
from daytwo_server.errors.models import Event, Issue
from daytwo_server.errors.query import parse
from daytwo_server.errors.schemas import (
    EventDetailOut,
    EventOut,
    EventsOut,
    IssueChangeIn,
    IssueDetailOut,
    IssueOut,
    IssueRefOut,
    IssuesOut,
)
from daytwo_server.errors.selectors import events, issues
from daytwo_server.errors.selectors.matching import ALL, matching

_NUMBER = re.compile(r"(?:ERR-)?([0-9]{1,18})\Z", re.IGNORECASE)
_STATUS_VERBS = {"resolved": services.resolve, "ignored": services.ignore, "unresolved": services.unresolve}

router = Router(tags=["Errors"])
_VIEW, _TRIAGE = BearerToken("errors.view"), BearerToken("errors.triage")


@router.get("/issues", response=IssuesOut, auth=_VIEW, by_alias=True)
def list_issues(
    request: HttpRequest,
    project: str = "",
    status: str = "",
    query: str = "",
    cursor: str = "",
    limit: int = issues.PAGE,
) -> IssuesOut:
    """Issues, last seen first. `project` is a slug, no `status` means all, `query` is what the search box takes."""
    checked_limit(limit)
    try:
        asked = parse(query)
        terms = ((Term("project", project),) if project else ()) + asked.terms
        viewer = request.auth.created_by  # type: ignore[attr-defined]
        found = matching(Query(terms, asked.text), status=status or ALL, viewer=viewer)
        page = issues.issues(found, cursor=cursor, limit=limit)
    except BadFilter as problem:
        named = problem.field in ("status", "query") or (problem.field == "project" and project)
        raise invalid({problem.field if named else "query": [str(problem)]}) from None
    except BadCursor as problem:
        raise invalid({"cursor": [str(problem)]}) from None
    return IssuesOut(results=[_issue(issue) for issue in page.rows], next=page.next)


@router.get("/issues/{issue_id}", response=IssueDetailOut, auth=_VIEW, by_alias=True)
def get_issue(request: HttpRequest, issue_id: str) -> IssueDetailOut:
    """One issue, by its number or as `ERR-12`."""
    return _detail(_find(issue_id))


@router.patch("/issues/{issue_id}", response=IssueDetailOut, auth=_TRIAGE, by_alias=True)
def change_issue(request: HttpRequest, issue_id: str, change: IssueChangeIn) -> IssueDetailOut:
    """Change status, assignee or both; either both happen or none."""
    issue = _find(issue_id)
    actor = request.auth  # type: ignore[attr-defined]
    with transaction.atomic():
        if "assignee" in change.model_fields_set:
            try:
                services.assign([issue.pk], change.assignee or None, actor=actor)
            except services.NotAMember as problem:
                raise invalid({"assignee": [str(problem)]}) from None
        if "status" in change.model_fields_set:
            _STATUS_VERBS[change.status]([issue.pk], actor=actor)
    return _detail(_find(issue_id))


@router.get("/issues/{issue_id}/events", response=EventsOut, auth=_VIEW, by_alias=True)
def list_events(request: HttpRequest, issue_id: str, cursor: str = "", limit: int = issues.PAGE) -> EventsOut:
    """The events of an issue, latest first."""
    issue = _find(issue_id)
    checked_limit(limit)
    try:
        page = events.events(issue.pk, cursor=cursor, limit=limit)
    except BadCursor as problem:
        raise invalid({"cursor": [str(problem)]}) from None
    return EventsOut(results=[_event(event) for event in page.rows], next=page.next)


@router.get("/events/{event_id}", response=EventDetailOut, auth=_VIEW, by_alias=True)
def get_event(request: HttpRequest, event_id: str) -> EventDetailOut:
    """The scrubbed event, by the id its SDK gave it, with dashes or without."""
    event = events.find(event_id)
    if event is None:
        raise HttpError(404, "There is no such event. One that was just sent is visible a moment later.")
    body = events.body(event)
    if body is None:
        raise HttpError(404, "The body of this event is no longer kept.")
    return EventDetailOut(event=body, issue=IssueRefOut(id=event.issue_id))


def _find(issue_id: str) -> Issue:
    number = _NUMBER.match(issue_id)
    issue = issues.issue(int(number[1])) if number else None
    if issue is None:
        raise HttpError(404, "There is no such issue.")
    return issue


def _fields(issue: Issue) -> dict[str, object]:
    return {
        "id": issue.pk,
        "short_id": issue.short_id,
        "title": issue.title,
        "culprit": issue.culprit,
        "type": issue.type,
        "value": issue.value,
        "level": issue.level,
        "status": issue.status,
        "count": issue.count,
        "users": issue.users,
        "first_seen": issue.first_seen,
        "last_seen": issue.last_seen,
        "project": issue.project.slug,
    }


def _issue(issue: Issue) -> IssueOut:
    return IssueOut.model_validate(_fields(issue))


def _detail(issue: Issue) -> IssueDetailOut:
    return IssueDetailOut.model_validate({
        **_fields(issue),
        "assignee": issue.assignee.email if issue.assignee else None,
        "regressed_at": issue.regressed_at,
        "first_release": issue.first_release,
        "last_release": issue.last_release,
        "explanation": issue.explanation,
        "url": absolute(reverse("errors:issue", args=[issue.pk])),
    })  # fmt: skip


def _event(event: Event) -> EventOut:
    return EventOut(
        event_id=event.event_id,
        timestamp=event.timestamp,
        received=event.received,
        message=event.message,
        level=event.level,
        release=event.release,
        environment=event.environment,
        transaction=event.transaction,
        trace_id=event.trace_id,
        customer_id=event.customer_id,
    )
