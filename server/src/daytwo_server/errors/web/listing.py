"""The issue list. Its whole state stands in its address."""

from __future__ import annotations

import datetime as dt
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import Truncator
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import member_choice, viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors as catalog
from daytwo_server.catalog.models import Project
from daytwo_server.core import clock, preferences
from daytwo_server.errors.models import Issue
from daytwo_server.errors.query import LEVELS, STATUSES, parse
from daytwo_server.errors.selectors import issues
from daytwo_server.errors.selectors.matching import ALL, matching
from daytwo_server.errors.web import triage
from daytwo_server.ingest import selectors as ingest
from daytwo_server.ui import charts, htmx, toasts
from daytwo_server.ui.listing import Address, address, refusing_bad_filters

# The parameters that are filters, with the keys that ask for the same in the search box.
FILTERS = {one: one for one in ("project", "environment", "level")} | {"assignee": "assigned", "release": "release"}
BOX = "query"
SORT_WORDS = {"seen": "Last seen", "first": "First seen", "events": "Events", "users": "Users"}
SORT_COLUMNS = ("events", "users", "seen", "first")  # from left to right
LONGEST = 80  # characters of a title: a line of the widest table
MOST = 1000  # issues that "all that match" means at once
_OPEN = re.compile(r"ERR-([0-9]{1,18})\Z")
_MARK = re.compile(r"([0-9]{1,18})\.([0-9]{1,17})\Z")
_COUNT = re.compile(r"[0-9]{1,18}")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Listing(Address):
    """The list as its address describes it, for whoever looks at it."""

    viewer: User

    @classmethod
    def read(cls, values: QueryDict, viewer: User) -> Listing:
        """Raises `BadFilter` for a search nobody can read."""
        more, here = ("status", "sort"), reverse("errors:list")
        return cls.of(here, values, filters=FILTERS, more=more, box=BOX, parse=parse, viewer=viewer)

    @property
    def status(self) -> str:
        """The tab: what the search says by `is:`, else the parameter."""
        said = [term.value for term in self.query.terms if term.key == "is" and not term.negated]
        return next((value for value in said if value in STATUSES), self.params.get("status", STATUSES[0]))

    @property
    def sort(self) -> str:
        return self.params.get("sort", "seen")

    def found(self) -> QuerySet[Issue]:
        """Every issue of the list, in no order. Raises `BadFilter`."""
        return matching(self.asked, status=self.status, viewer=self.viewer)

    def tabs(self) -> list[dict[str, Any]]:
        return [
            {
                "label": status.capitalize(),
                "url": self.url(status=status if status != STATUSES[0] else None, query=self._without_status()),
                "current": status == self.status,
            }
            for status in (*STATUSES, ALL)
        ]

    def _without_status(self) -> str:
        return self.query.without(*(one for one in self.query.terms if one.key == "is" and one.value in STATUSES))


def issue_list(request: HttpRequest) -> HttpResponseBase:
    """The list; a POST changes the issues that are ticked and shows the list again."""
    return (_change if request.method == "POST" else _show)(request)


_refusing = refusing_bad_filters("Errors", views="errors", box=BOX, params={key: name for name, key in FILTERS.items()})


@require("errors.view")
@require_safe
@_refusing
def _show(request: HttpRequest) -> HttpResponse:
    listing = Listing.read(request.GET, viewer(request))
    words = _words(request, listing, request.GET.get("cursor", ""))
    return htmx.render(request, "errors/list.html", "errors/_issues.html", words)


@require("errors.triage")
@_refusing
def _change(request: HttpRequest) -> HttpResponseBase:
    toast = triage.apply(request, _meant(request))
    return toasts.shown_again(request, toast, _show)


def _meant(request: HttpRequest) -> list[int]:
    """The issues that a button of the list is about: its own row, all that match, or those that are ticked.

    "All" are those of the filter in the address, less what came after the list was shown (`every` is the newest issue
    of then): nobody resolves what they cannot have seen.
    """
    newest = request.POST.get("every", "")
    if ":" in request.POST.get("do", "") or not _COUNT.fullmatch(newest):
        return triage.ticked(request)
    listing = Listing.read(request.GET, viewer(request))
    return issues.first(listing.found().filter(pk__lte=int(newest)), sort=listing.sort, most=MOST)


def _words(request: HttpRequest, listing: Listing, cursor: str) -> dict[str, Any]:
    found = listing.found()
    page = issues.issues(found, sort=listing.sort, cursor=cursor)
    if cursor and not page.rows:  # everything on the last page was dealt with
        page = issues.issues(found, sort=listing.sort)
    projects = list(Project.objects.order_by("name", "pk"))
    mark = issues.mark()
    # Where the whole list is on the page, ticking the page is ticking all.
    total = issues.count(found, most=MOST + 1) if page.next or page.previous else 0
    return {
        "listing": listing,
        "here": listing.url(cursor=cursor),
        "rows": _rows(page.rows),
        "one_project": len(projects) == 1 or "project" in listing.params,
        "tabs": listing.tabs(),
        "chips": listing.chips(),
        "sorts": [
            {"words": SORT_WORDS[sort], "url": listing.url(sort=sort), "current": sort == listing.sort}
            for sort in SORT_COLUMNS
        ],
        "choices": _choices(listing),
        "may_triage": can(request.user, "errors.triage"),
        "empty": None if page.rows else _empty(listing, projects),
        "news_url": address(reverse("errors:news"), **{**listing.params, "mark": _marked(mark)}),
        "intake": _intake(),
        "every": mark.newest if total else "",
        "total": total,
        "most": MOST,
        **listing.pager(page),
        **_opened(request),
    }


def _opened(request: HttpRequest) -> dict[str, Any]:
    """What `?open=` names: it may have left this page of the list since the address was shared."""
    found = _OPEN.match(request.GET.get("open", ""))
    issue = issues.issue(int(found[1])) if found else None
    return {"opened": issue, "opened_url": reverse("errors:issue", args=[issue.pk]) if issue else ""}


def _marked(mark: issues.Mark) -> str:
    return f"{mark.newest}.{(mark.seen - _EPOCH) // dt.timedelta(microseconds=1)}"


def _rows(page: list[Issue]) -> list[dict[str, Any]]:
    """The rows with what templates cannot compute. One query for all bars."""
    counts = issues.hourly(issue.pk for issue in page)
    now = clock.now()
    return [
        {
            "issue": issue,
            **_title(issue),
            "new": issue.status == Issue.Status.UNRESOLVED and now - issue.first_seen < issues.FRESH,
            "regressed": issue.status == Issue.Status.UNRESOLVED and issue.regressed_at is not None,
            "bars": charts.bars(
                counts[issue.pk],
                label=f"{sum(counts[issue.pk]):,} events in 24 hours",
                hot_from=_hot_from(issue),
            ),
        }
        for issue in page
    ]


def _title(issue: Issue) -> dict[str, str]:
    name = Truncator(issue.type or issue.title).chars(LONGEST)
    room = LONGEST - len(name)
    return {"name": name, "value": Truncator(issue.value).chars(room) if issue.type and room > 10 else ""}


def _hot_from(issue: Issue) -> int | None:
    """Since when the bars are red: since it came back, or since it first appeared."""
    hour = issues.hour_index(issue.regressed_at or issue.first_seen)
    return hour if hour >= 0 else None


def _choices(listing: Listing) -> Sequence[dict[str, Any]]:
    """The fields of the filter panel. Archived projects and hidden environments are not offered."""
    return (
        listing.choice("project", "Project", catalog.projects_to_choose()),
        listing.choice("environment", "Environment", [(name, name) for name in catalog.environment_names()]),
        listing.choice("level", "Level", [(level, level.capitalize()) for level in LEVELS]),
        member_choice(listing, "assignee", "Owner", [("me", "Me"), ("none", "Nobody")]),
        listing.choice("sort", "Sort by", SORT_WORDS.items(), any_=False),
    )


def _empty(listing: Listing, projects: list[Project]) -> dict[str, Any]:
    """Why there is nothing, and what to do."""
    filtered = bool(listing.chips())
    slug = listing.params.get("project")
    silent = [one for one in projects if one.first_event_at is None and slug in (None, one.slug)]
    if not projects:
        return {"kind": "no project"}
    if silent and (slug or (not filtered and len(silent) == len(projects))):
        return {"kind": "no event", "project": silent[0]}
    if filtered:
        return {"kind": "filtered", "ways": _ways_out(listing)}
    return {"kind": listing.status}


def _ways_out(listing: Listing) -> list[dict[str, Any]]:
    """The filters that alone stand in the way: without one of them there would be rows."""
    ways = []
    for chip in listing.chips()[:8]:
        values = QueryDict(urllib.parse.urlsplit(chip["url"]).query)
        if Listing.read(values, listing.viewer).found().exists():
            ways.append(chip)
    return ways


def _intake() -> str:
    """What keeps new errors from arriving, in words; empty when nothing does."""
    state = ingest.state(preferences.current())
    if state.refusing:
        return f"New events are being refused: {state.refusing}."
    if state.digest_error:
        return f"New events wait and cannot be shown: {state.digest_error}."
    return ""


@require("errors.view")
@require_safe
@_refusing
def news(request: HttpRequest) -> HttpResponse:
    """The bar that announces what the list does not show yet; empty while there is nothing new."""
    listing, mark = Listing.read(request.GET, viewer(request)), _MARK.match(request.GET.get("mark", ""))
    if mark is None:
        return HttpResponse("Reload the page to see what is new.", status=400, content_type="text/plain")
    since = issues.Mark(int(mark[1]), _EPOCH + dt.timedelta(microseconds=int(mark[2])))
    told = issues.news(listing.found(), since)
    return render(request, "errors/_news.html", {"news": told, "url": listing.url(), "most": issues.MAX_NEWS})
