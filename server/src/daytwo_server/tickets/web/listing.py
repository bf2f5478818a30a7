"""The inbox. Its whole state stands in its address, which the pages of its tickets keep."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts import selectors as accounts
from daytwo_server.accounts.http import go_to, viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core import clock, paths
from daytwo_server.core.pages import Page
from daytwo_server.core.query import BadFilter, Query
from daytwo_server.tickets.models import Category, Priority, Status, Ticket
from daytwo_server.tickets.selectors import inbox as selectors
from daytwo_server.tickets.selectors.matching import TICKETS
from daytwo_server.tickets.services import MAX_BULK
from daytwo_server.tickets.web import changes
from daytwo_server.tickets.web.rows import Row, rows
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, address, refusing_bad_filters

FILTERS = ("status", "priority", "category", "assignee")
BOX = "query"
VIEW_WORDS = {
    "open": "Open", "mine": "Mine", "unassigned": "Unassigned", "waiting": "Waiting", "resolved": "Resolved",
    "all": "All",
}  # fmt: skip
SORT_WORDS = {"due": "Due next", "created": "Newest", "updated": "Last changed"}
MENU = 12  # members that a menu lists; of more, one is named
_STATUSES = tuple((value, label) for value, label in Status.choices if value != Status.CLOSED)
# Terms that speak of a status too.
_STATES = {("is", value) for value in (*Status.values, "unresolved", "rated", "merged")}
_MARK = re.compile(r"[0-9]{1,17}")
_GO = re.compile(r"(reply|note):([0-9]{1,18})")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Inbox(Address):
    """The list as its address describes it, for whoever looks at it."""

    viewer: User

    @classmethod
    def read(cls, values: QueryDict, viewer: User) -> Inbox:
        """Raises `BadFilter` for a search nobody can read, and for a view there is not."""
        more = ("view", "sort")
        found = cls.of(
            reverse("tickets:list"), values, filters=FILTERS, more=more, box=BOX, parse=TICKETS.parse, viewer=viewer
        )
        if found.view not in VIEW_WORDS:
            raise BadFilter("view", f"There is no view {found.view!r}; use {', '.join(VIEW_WORDS)}.")
        return found

    @property
    def view(self) -> str:
        """The tab. Whoever asks for a status looks among all of them unless they say otherwise."""
        asks = any(term.key == "status" or (term.key, term.value) in _STATES for term in self.asked.terms)
        return self.params.get("view", "all" if asks else "open")

    @property
    def label(self) -> str:
        return VIEW_WORDS[self.view]

    @property
    def sort(self) -> str:
        return self.params.get("sort", selectors.DUE)

    def found(self) -> QuerySet[Ticket]:
        """Every ticket of the list, in no order. Raises `BadFilter`."""
        asked = Query((*selectors.VIEWS[self.view], *self.asked.terms), self.asked.text)
        return TICKETS.narrow(Ticket.objects.all(), asked, me=self.viewer.email)

    @property
    def _is_a_tab(self) -> bool:
        """Whether it is one of the lists that look the same to everybody."""
        return self.view != "mine" and self.asked == Query((), "")

    def count(self, *, most: int) -> int:
        """How many there are, at most `most`. Raises `BadFilter`."""
        if self._is_a_tab:
            return selectors.view_count(self.view, most=most)
        return selectors.count(self.found(), most=most)

    def page(self, cursor: str, *, limit: int = selectors.PAGE) -> Page[Ticket]:
        """Raises `BadFilter`, `BadCursor`."""
        if not cursor and self._is_a_tab:
            return selectors.view(self.view, sort=self.sort, limit=limit)
        page = selectors.inbox(self.found(), sort=self.sort, cursor=cursor, limit=limit)
        if cursor and not page.rows:  # everything on the last page was dealt with
            page = selectors.inbox(self.found(), sort=self.sort, limit=limit)
        return page

    def ticket_url(self, number: int, **more: str) -> str:
        """The page of a ticket beside this list."""
        return address(reverse("tickets:ticket", args=[number]), **self.params, **more)

    def tabs(self) -> list[dict[str, Any]]:
        return [
            {"label": label, "url": self.url(view=view if view != "open" else None), "current": view == self.view}
            for view, label in VIEW_WORDS.items()
        ]

    def rows(self, page: Page[Ticket]) -> list[Row]:
        """Two queries."""
        path, mark, asked = self.ticket_url(0).partition("?")
        return rows(page.rows, lambda number: f"{path.removesuffix('0')}{number}{mark}{asked}")


def inbox(request: HttpRequest) -> HttpResponseBase:
    """The list; a POST changes the tickets that are ticked and shows the list again."""
    if request.method == "POST" and (go := _GO.fullmatch(request.POST.get("do", ""))):
        return _go(request, *go.groups())
    return (_change if request.method == "POST" else _show)(request)


refusing = refusing_bad_filters("Tickets", views="tickets", box=BOX)


@require("tickets.view")
@require_safe
@refusing
def _show(request: HttpRequest) -> HttpResponse:
    listing = Inbox.read(request.GET, viewer(request))
    words = _words(request, listing, request.GET.get("cursor", ""))
    return htmx.render(request, "tickets/list.html", "tickets/_list.html", words)


@require("tickets.manage")
@refusing
def _change(request: HttpRequest) -> HttpResponseBase:
    do, _, row = request.POST.get("do", "").partition(":")
    numbers = paths.numbers([row]) or _meant(request)
    toast = changes.apply(request, do, numbers)
    return toasts.shown_again(request, toast, _show)


@require("tickets.view")
def _go(request: HttpRequest, where: str, number: str) -> HttpResponse:
    """To the field in which a row is answered: keys of a row press buttons, and buttons of a list post."""
    return go_to(request, f"{Inbox.read(request.GET, viewer(request)).ticket_url(int(number))}#draft-{where}")


def _meant(request: HttpRequest) -> list[int]:
    """The tickets that are ticked, or all that match the address, less what was opened after the list was shown."""
    until = _moment(request.POST.get("every", ""))
    if until is None:
        return paths.numbers(request.POST.getlist("ticket"))
    listing = Inbox.read(request.GET, viewer(request))
    return selectors.first(listing.found().filter(created_at__lte=until), sort=listing.sort, most=MAX_BULK)


def _words(request: HttpRequest, listing: Inbox, cursor: str) -> dict[str, Any]:
    mark = str((clock.now() - _EPOCH) // dt.timedelta(microseconds=1))
    page = listing.page(cursor)
    # Where the whole list is on the page, ticking the page is ticking all.
    total = listing.count(most=MAX_BULK + 1) if page.next or page.previous else 0
    may_manage = can(request.user, "tickets.manage")
    members = accounts.people(limit=MENU + 1)
    return {
        **listing.bar(*_choices(listing, members)),
        "here": listing.url(cursor=cursor),
        "rows": listing.rows(page),
        "tabs": listing.tabs(),
        "may_manage": may_manage,
        "may_reply": can(request.user, "tickets.reply"),
        "members": members if may_manage else [],
        "menu": MENU,
        "statuses": _STATUSES,
        "priorities": tuple(Priority.choices),
        "news_url": address(reverse("tickets:news"), **{**listing.params, "mark": mark}),
        "every": mark if total else "",
        "total": total,
        "most": MAX_BULK,
        **listing.pager(page),
    }


def _choices(listing: Inbox, members: list[User]) -> list[Mapping[str, Any]]:
    """The fields of the filter panel."""
    people = [("me", "Me"), ("none", "Nobody"), *((user.email, str(user)) for user in members[:MENU])]
    return [
        listing.choice("status", "Status", Status.choices),
        listing.choice("priority", "Priority", Priority.choices),
        listing.choice("category", "Category", Category.choices),
        listing.choice("assignee", "Assignee", people),
        listing.choice("sort", "Sort by", SORT_WORDS.items(), any_=False),
    ]


@require("tickets.view")
@require_safe
@refusing
def news(request: HttpRequest) -> HttpResponse:
    """The bar that announces what the list does not show yet; empty while there is nothing new."""
    listing, since = Inbox.read(request.GET, viewer(request)), _moment(request.GET.get("mark", ""))
    if since is None:
        return HttpResponse("Reload the page to see what is new.", status=400, content_type="text/plain")
    told = selectors.news(listing.found(), since)
    return render(request, "tickets/_news.html", {"news": told, "url": listing.url(), "most": selectors.MAX_NEWS})


def _moment(mark: str) -> dt.datetime | None:
    return _EPOCH + dt.timedelta(microseconds=int(mark)) if _MARK.fullmatch(mark) else None
