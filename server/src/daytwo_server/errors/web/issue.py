"""The pages of one issue: its latest event, any event, all events, tags and activity."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts import selectors as accounts
from daytwo_server.accounts.permissions import can, require
from daytwo_server.customers import selectors as customers
from daytwo_server.errors import services
from daytwo_server.errors.models import Activity, Event, Issue
from daytwo_server.errors.selectors import events as event_selectors
from daytwo_server.errors.selectors import facets, issues, people
from daytwo_server.errors.services.absorb import issue_topic
from daytwo_server.errors.web import histogram, rail, triage
from daytwo_server.errors.web.event import view as event_view
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import refusing_bad_filters

Words = dict[str, Any]
Section = Callable[..., Words]
MENU = 12  # members that a menu lists; of more, one is named
_COUNT = re.compile(r"[0-9]{1,18}")


def _page(section: Section) -> Callable[..., HttpResponseBase]:
    """A page that shows one section of an issue; a POST to it changes the issue and shows the same page again.

    `section(request, issue, **kwargs)` returns the words of its template. It may raise `Http404` and `BadCursor`.
    """

    @require("errors.view")
    @require_safe
    def show(request: HttpRequest, number: str, **kwargs: str) -> HttpResponse:
        issue = issues.issue(int(number))
        if issue is None:
            raise Http404
        words = section(request, issue, **kwargs)
        return htmx.render(request, "errors/issue.html", "errors/_part.html", _frame(request, issue) | words)

    @require("errors.triage")
    def change(request: HttpRequest, number: str, **kwargs: str) -> HttpResponseBase:
        toast = triage.apply(request, [int(number)])
        return toasts.shown_again(request, toast, lambda again: show(again, number, **kwargs))

    @refusing_bad_filters("Error", box="")
    @functools.wraps(section)
    def page(request: HttpRequest, number: str, **kwargs: str) -> HttpResponseBase:
        return (change if request.method == "POST" else show)(request, number, **kwargs)

    return page


def _frame(request: HttpRequest, issue: Issue) -> Words:
    """What stands around every section: header, tabs and rail."""
    may_triage = can(request.user, "errors.triage")
    tags = facets.tags(issue.pk)
    return {
        "issue": issue,
        "here": request.get_full_path(),
        "may_triage": may_triage,
        "members": accounts.people(limit=MENU + 1) if may_triage else [],
        "menu": MENU,
        "regressed": issue.status == Issue.Status.UNRESOLVED and issue.regressed_at is not None,
        "tabs": _tabs(request, issue),
        "topic": issue_topic(issue.pk),
        "news_url": f"{reverse('errors:issue-news', args=[issue.pk])}?count={issue.count}",
        "rail": rail.rail(issue, tags, asked=can(request.user, "tickets.view")),
        "tags": tags,
    }


def _tabs(request: HttpRequest, issue: Issue) -> list[dict[str, Any]]:
    here = request.resolver_match.url_name if request.resolver_match else ""
    tabs = [
        ("issue", "Latest event", None),
        ("events", "All events", f"{issue.count:,}"),
        ("tags", "Tags", None),
        ("activity", "Activity", None),
    ]
    return [
        {"label": label, "count": count, "url": reverse(f"errors:{name}", args=[issue.pk]), "current": name == here}
        for name, label, count in tabs
    ]


@_page
def latest(request: HttpRequest, issue: Issue) -> Words:
    """The issue with its latest event."""
    return _event_words(request, issue, event_selectors.latest(issue.pk))


@_page
def event(request: HttpRequest, issue: Issue, *, event_id: str) -> Words:
    """The issue with one of its events."""
    found = event_selectors.event_of(issue.pk, event_id)
    if found is None:
        raise Http404
    return _event_words(request, issue, found)


def _event_words(request: HttpRequest, issue: Issue, found: Event | None) -> Words:
    words: Words = {"section": "event", "event": found, "chart": histogram.chart(request, issue)}
    if found is None:
        return words
    mode = event_view.mode_of(request.GET.get("frames", ""))
    body = event_selectors.body(found)
    customer = customers.customers_by_id([found.customer_id]).get(found.customer_id) if found.customer_id else None
    return words | {
        "mode": mode,
        "modes": [
            {
                "label": label,
                "url": f"{request.path}?{histogram.query(request, frames=name)}#stack",
                "current": name == mode,
            }
            for name, label in event_view.MODES.items()
        ],
        "neighbours": event_selectors.neighbours(found),
        "body": event_view.view(body, mode) if body is not None else None,
        "customer": customer,
        "event_count": issue.count,
    }


@require("errors.view")
@require_safe
def frames(request: HttpRequest, number: str, event_id: str, key: str) -> HttpResponse:
    """The frames of a fold or of a thread of an event, for the page that opens it."""
    found = event_selectors.event_of(int(number), event_id)
    body = event_selectors.body(found) if found else None
    if found is None or body is None:
        raise Http404
    told = event_view.view(body, "app")
    fold, thread = told.fold(key), told.thread(key)
    if fold is None and thread is None:
        raise Http404
    words = {"issue": found.issue, "event": found, "body": told, "fold": fold, "thread": thread}
    return render(request, "errors/_frames.html", words)


@_page
def events(request: HttpRequest, issue: Issue) -> Words:
    """Every event that is kept, latest first."""
    page = event_selectors.events(issue.pk, cursor=request.GET.get("cursor", ""))
    known = customers.customers_by_id(one.customer_id for one in page.rows if one.customer_id)
    return {
        "section": "events",
        "rows": [(one, known.get(one.customer_id) if one.customer_id else None) for one in page.rows],
        "newer": f"{request.path}?cursor={page.previous}" if page.previous else "",
        "older": f"{request.path}?cursor={page.next}" if page.next else "",
    }


@_page
def tags(request: HttpRequest, issue: Issue) -> Words:
    """How the events divide by each tag."""
    return {"section": "tags"}


@_page
def activity(request: HttpRequest, issue: Issue) -> Words:
    """What happened to the issue and who did it, and what people say about it."""
    page = issues.activities(issue.pk, cursor=request.GET.get("cursor", ""))
    names = {user.pk: str(user) for user in people.people(_assignees(page.rows))}
    return {
        "section": "activity",
        "may_comment": can(request.user, "errors.comment"),
        "draft_key": services.draft_key(issue.pk),
        "longest": services.MAX_COMMENT,
        "rows": [(one, names.get(one.after.get("assignee"), "nobody")) for one in page.rows],
        "newer": f"{request.path}?cursor={page.previous}" if page.previous else "",
        "older": f"{request.path}?cursor={page.next}" if page.next else "",
    }


def _assignees(rows: list[Activity]) -> list[int]:
    return [pk for row in rows if row.kind == Activity.Kind.ASSIGNED and (pk := row.after.get("assignee"))]


@require("errors.view")
@require_safe
def news(request: HttpRequest, number: str) -> HttpResponse:
    """The bar that announces events which the page does not show yet; empty while there are none."""
    issue, known = issues.issue(int(number)), request.GET.get("count", "")
    if issue is None or not _COUNT.fullmatch(known):
        raise Http404
    return render(request, "errors/_issue_news.html", {"issue": issue, "more": issue.count - int(known)})
