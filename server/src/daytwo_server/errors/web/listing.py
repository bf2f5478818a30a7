"""The issue list. Its whole state stands in its address."""

from __future__ import annotations

import datetime as dt
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog.models import Environment, Project
from daytwo_server.core import clock, preferences
from daytwo_server.core.pages import BadCursor
from daytwo_server.core.query import BadFilter, Query, Term
from daytwo_server.errors.models import Issue
from daytwo_server.errors.query import LEVELS, STATUSES, parse
from daytwo_server.errors.selectors import issues, people
from daytwo_server.errors.selectors.matching import ALL, matching
from daytwo_server.errors.web import triage
from daytwo_server.ingest import selectors as ingest
from daytwo_server.ui import charts, htmx, toasts

FILTERS = ("project", "environment", "level", "assignee", "release")
PARAMS = ("status", *FILTERS, "query", "sort")
SORT_WORDS = {"seen": "Last seen", "first": "First seen", "events": "Events", "users": "Users"}
SORT_COLUMNS = ("events", "users", "seen", "first")  # from left to right
LONGEST = 80  # characters of a title: a line of the widest table
NEW = dt.timedelta(hours=24)
_TERM_OF = {"assignee": "assigned"}
_PARAM_OF = {term: param for param, term in _TERM_OF.items()}
MOST = 1000  # issues that "all that match" means at once
_OPEN = re.compile(r"ERR-([0-9]{1,18})\Z")
_MARK = re.compile(r"([0-9]{1,18})\.([0-9]{1,17})\Z")
_COUNT = re.compile(r"[0-9]{1,18}")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Listing:
    """A list as its address describes it. Raises `BadFilter` when it is made of a search nobody can read."""

    params: dict[str, str]
    query: Query
    viewer: User

    @classmethod
    def of(cls, values: QueryDict, viewer: User) -> Listing:
        params = {name: values.get(name, "").strip() for name in PARAMS}
        given = {name: value for name, value in params.items() if value}
        return cls(given, parse(given.get("query", "")), viewer)

    @property
    def status(self) -> str:
        """The tab: what the search says by `is:`, else the parameter."""
        said = [term.value for term in self.query.terms if term.key == "is" and not term.negated]
        return next((value for value in said if value in STATUSES), self.params.get("status", STATUSES[0]))

    @property
    def sort(self) -> str:
        return self.params.get("sort", "seen")

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms that the parameters stand for."""
        return tuple(Term(_TERM_OF.get(name, name), self.params[name]) for name in FILTERS if name in self.params)

    def found(self) -> QuerySet[Issue]:
        """Every issue of the list, in no order. Raises `BadFilter`."""
        whole = Query((*self.terms, *self.query.terms), self.query.text)
        return matching(whole, status=self.status, viewer=self.viewer)

    def url(self, **changes: str | None) -> str:
        """The address of this list with other parameters; None or "" takes one away."""
        params = {name: value for name, value in {**self.params, **changes}.items() if value}
        return f"{reverse('errors:list')}?{urllib.parse.urlencode(params)}" if params else reverse("errors:list")

    def chips(self) -> list[dict[str, Any]]:
        """One for each filter in force, with the address of the list without it."""
        chips = [
            {"name": name, "verb": "is", "value": self.params[name], "url": self.url(**{name: None})}
            for name in FILTERS
            if name in self.params
        ]
        chips += [
            {"name": term.key, "verb": "is not" if term.negated else "is", "value": term.value,
             "url": self.url(query=self.query.without(term))}
            for term in self.query.terms
        ]  # fmt: skip
        if self.query.text:
            less = self.url(query=str(Query(self.query.terms)))
            chips.append({"name": "text", "verb": "has", "value": self.query.text, "url": less})
        return chips

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


def issue_list(request: HttpRequest) -> HttpResponse:
    """The list; a POST changes the issues that are ticked and shows the list again."""
    return (_change if request.method == "POST" else _show)(request)


@require("errors.view")
@require_safe
def _show(request: HttpRequest) -> HttpResponse:
    try:
        listing = Listing.of(request.GET, viewer(request))
        words = _words(request, listing, request.GET.get("cursor", ""))
    except (BadFilter, BadCursor) as problem:
        return _refused(request, problem)
    return htmx.render(request, "errors/list.html", "errors/_issues.html", words)


@require("errors.triage")
def _change(request: HttpRequest) -> HttpResponse:
    try:
        meant = _meant(request)
    except BadFilter as problem:
        return _refused(request, problem)
    toast = triage.apply(request, meant)
    if not htmx.wants_part(request):
        triage.say(request, toast)
        return redirect(request.get_full_path())
    return toasts.attach(_show(_as_get(request)), toast)


def _meant(request: HttpRequest) -> list[int]:
    """The issues that a button of the list is about: its own row, all that match, or those that are ticked.

    "All" are those of the filter in the address, less what came after the list was shown (`every` is the newest issue
    of then): nobody resolves what they cannot have seen.
    """
    newest = request.POST.get("every", "")
    if ":" in request.POST.get("do", "") or not _COUNT.fullmatch(newest):
        return triage.ticked(request)
    listing = Listing.of(request.GET, viewer(request))
    return issues.first(listing.found().filter(pk__lte=int(newest)), sort=listing.sort, most=MOST)


def _as_get(request: HttpRequest) -> HttpRequest:
    request.method = "GET"
    return request


def _refused(request: HttpRequest, problem: BadFilter | BadCursor) -> HttpResponse:
    """Say what the address asks for that does not exist, with a way back to a list that does."""
    if htmx.wants_part(request):
        return HttpResponse(str(problem), status=400, content_type="text/plain")
    field = "cursor" if isinstance(problem, BadCursor) else _PARAM_OF.get(problem.field, problem.field)
    wrong = field if field in request.GET else "query"
    params = {name: value for name, value in request.GET.items() if name not in (wrong, "cursor") and value}
    back = f"{reverse('errors:list')}?{urllib.parse.urlencode(params)}" if params else reverse("errors:list")
    return render(request, "errors/refused.html", {"problem": str(problem), "back": back}, status=400)


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
        "newer": listing.url(cursor=page.previous) if page.previous else "",
        "older": listing.url(cursor=page.next) if page.next else "",
        "tabs": listing.tabs(),
        "chips": listing.chips(),
        "sorts": [
            {"words": SORT_WORDS[sort], "url": listing.url(sort=sort), "current": sort == listing.sort}
            for sort in SORT_COLUMNS
        ],
        "choices": _choices(listing, projects),
        "may_triage": can(request.user, "errors.triage"),
        "empty": None if page.rows else _empty(listing, projects),
        "news_url": f"{reverse('errors:news')}?{urllib.parse.urlencode({**listing.params, 'mark': _marked(mark)})}",
        "intake": _intake(),
        "every": mark.newest if total else "",
        "total": total,
        "most": MOST,
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
            "new": issue.status == Issue.Status.UNRESOLVED and now - issue.first_seen < NEW,
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


def _choices(listing: Listing, projects: list[Project]) -> list[dict[str, Any]]:
    """The fields of the filter panel: name, label, options as (value, words), and what is chosen."""
    environments = Environment.objects.order_by("name").values_list("name", flat=True).distinct()[:100]
    members = [("me", "Me"), ("none", "Nobody"), *((user.email, str(user)) for user in people.assignable())]
    options = {
        "project": ("Project", [(project.slug, project.name) for project in projects]),
        "environment": ("Environment", [(name, name) for name in environments]),
        "level": ("Level", [(level, level.capitalize()) for level in LEVELS]),
        "assignee": ("Owner", members),
        "sort": ("Sort by", list(SORT_WORDS.items())),
    }
    return [
        {"name": name, "label": label, "options": values, "chosen": listing.params.get(name, ""), "any": name != "sort"}
        for name, (label, values) in options.items()
    ]


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
        if Listing.of(values, listing.viewer).found().exists():
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
def news(request: HttpRequest) -> HttpResponse:
    """The bar that announces what the list does not show yet; empty while there is nothing new."""
    mark = _MARK.match(request.GET.get("mark", ""))
    try:
        listing = Listing.of(request.GET, viewer(request))
        found = listing.found()
    except BadFilter as problem:
        return HttpResponse(str(problem), status=400, content_type="text/plain")
    if mark is None:
        return HttpResponse("Reload the page to see what is new.", status=400, content_type="text/plain")
    since = issues.Mark(int(mark[1]), _EPOCH + dt.timedelta(microseconds=int(mark[2])))
    told = issues.news(found, since)
    return render(request, "errors/_news.html", {"news": told, "url": listing.url(), "most": issues.MAX_NEWS})
