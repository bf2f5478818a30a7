"""A list whose whole state is its address: what its parameters ask for, its search box, chips, and pages.

    LIST = Address.of(reverse("catalog:deploys"), request.GET, filters=("project", "status"), parse=DEPLOYS.parse)

A parameter that is a filter and a term `key:value` of the search box ask for the same, so a list knows one condition
for both (`core.query.language`).
"""

from __future__ import annotations

import functools
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render

from daytwo_server.core import query as language
from daytwo_server.core.pages import BadCursor, Page
from daytwo_server.core.query import BadFilter, Query, Term
from daytwo_server.ui import htmx

View = Callable[..., HttpResponseBase]
A = TypeVar("A", bound="Address")

BOX = "q"
CURSOR = "cursor"
FEW = 12  # rows that somebody finds their way in without a search box


def address(path: str, **params: object) -> str:
    """A path with those parameters that have a value."""
    given = {name: value for name, value in params.items() if value not in ("", None)}
    return f"{path}?{urllib.parse.urlencode(given)}" if given else path


@dataclass(frozen=True, kw_only=True)
class Address:
    """A list's path and those of its parameters that are given.

    `filters` are the parameters that stand for a term, with its key; `box` is the one that holds what was typed, and
    `query` what that means.
    """

    path: str
    params: Mapping[str, str]
    filters: Mapping[str, str] = field(default_factory=dict)
    box: str = BOX
    query: Query = field(default_factory=Query)

    @classmethod
    def of(
        cls,
        path: str,
        values: QueryDict,
        *,
        filters: Collection[str] | Mapping[str, str] = (),
        more: Collection[str] = (),
        box: str = BOX,
        parse: Callable[[str], Query] = language.parse,
        **fields: Any,
    ) -> Self:
        """Read the parameters: `filters` by name or with their keys, `more` are those that are no filters.

        Raises `BadFilter` for a search that nobody can read.
        """
        keys = dict(filters) if isinstance(filters, Mapping) else {name: name for name in filters}
        given = {name: values.get(name, "").strip() for name in (*more, *keys, box)}
        params = {name: value for name, value in given.items() if value}
        return cls(path=path, params=params, filters=keys, box=box, query=parse(given[box]), **fields)

    def get(self, name: str) -> str:
        return self.params.get(name, "")

    @property
    def typed(self) -> str:
        """What stands in the search box."""
        return self.get(self.box)

    @property
    def asked(self) -> Query:
        """What the filters and the search box ask for together."""
        terms = (Term(key, self.params[name]) for name, key in self.filters.items() if name in self.params)
        return Query((*terms, *self.query.terms), self.query.text)

    def url(self, **changes: str | None) -> str:
        """The address with other parameters; None or "" takes one away."""
        return address(self.path, **{**self.params, **changes})

    def chips(self, words: Mapping[str, tuple[str, str]] | None = None) -> list[dict[str, str]]:
        """One for each filter, term and text in force, with the address of the list without it.

        `words` has the name and the value of a filter for people, where they differ from those in the address.
        """
        named = {name: (words or {}).get(name, (name, self.get(name))) for name in self.filters if name in self.params}
        chips = [_chip(name, "is", value, self.url(**{param: None})) for param, (name, value) in named.items()]
        for term in self.query.terms:
            less = self.url(**{self.box: self.query.without(term)})
            chips.append(_chip(term.key, "is not" if term.negated else "is", term.value, less))
        if self.query.text:
            less = self.url(**{self.box: str(Query(self.query.terms))})
            chips.append(_chip("text", "has", self.query.text, less))
        return chips

    def pager(self, page: Page[Any]) -> dict[str, str]:
        """`newer` and `older`: the addresses of the neighbouring pages, empty where there is none."""
        return {
            "newer": self.url(cursor=page.previous) if page.previous else "",
            "older": self.url(cursor=page.next) if page.next else "",
        }

    def choice(self, name: str, label: str, options: Iterable[tuple[str, str]], *, any_: bool = True) -> dict[str, Any]:
        """A field of the filter panel. What is chosen is among its options, also where nobody would offer it any more.

        Without `any_` one of the options has to be chosen.
        """
        found, chosen = list(options), self.get(name)
        if chosen and chosen not in dict(found):
            found.append((chosen, chosen))
        return {"name": name, "label": label, "options": tuple(found), "chosen": chosen, "any": any_}

    def completed(self, name: str, label: str, url: str, hint: str) -> dict[str, Any]:
        """A field of the filter panel for a choice among too many to list: what is typed is completed by `url`, as
        the tag `suggest` has it.
        """
        return {"name": name, "label": label, "chosen": self.get(name), "suggest": url, "hint": hint}

    def day(self, name: str, label: str) -> dict[str, Any]:
        """A field of the filter panel that takes a day."""
        return {"name": name, "label": label, "chosen": self.get(name), "type": "date"}

    def bar(
        self,
        *choices: Mapping[str, Any],
        words: Mapping[str, tuple[str, str]] | None = None,
        rows: Sized | None = None,
    ) -> dict[str, Any]:
        """What `ui/components/filters.html` shows: search box, filter panel with `choices`, chips.

        It stays away where `rows` are all there is, nothing is asked, and they are few.
        """
        chips, own = self.chips(words), {self.box, *(one["name"] for one in choices)}
        return {
            "listing": self,
            "bar": bool(chips) or rows is None or len(rows) > FEW,
            "choices": choices,
            "chips": chips,
            "kept": [(name, value) for name, value in self.params.items() if name not in own],
        }


def archive_tabs(listing: Address, *, archived: bool, label: str = "In use") -> list[dict[str, Any]]:
    """What is in use, and what was put away (`?archived=1`), for the tag `tabs`."""
    return [
        {"label": label, "url": listing.url(archived=None), "current": not archived},
        {"label": "Archived", "url": listing.url(archived="1"), "current": archived},
    ]


def _chip(name: str, verb: str, value: str, url: str) -> dict[str, str]:
    return {"name": name, "verb": verb, "value": value, "url": url}


def all_of(page: Page[Any]) -> Sequence[Any] | None:
    """The rows of the only page; None when there are more."""
    return None if page.next or page.previous else page.rows


def refusing_bad_filters(
    title: str = "", *, views: str = "", box: str = BOX, params: Mapping[str, str] | None = None
) -> Callable[[View], View]:
    """Answer an address that asks for something that does not exist with 400, a sentence and ways back.

    `title` is that of the list, where it is no page of the settings, and `views` what its saved views are kept under.
    `box` is empty where there is none; `params` are the parameters by the keys that they are filters for, where those
    differ.
    """

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except (BadFilter, BadCursor) as problem:
                if htmx.wants_part(request):
                    return HttpResponse(str(problem), status=400, content_type="text/plain")
                wrong = _wrong(request, problem, box, params or {})
                words = {"problem": str(problem), "title": title, "views": views, **_ways_back(request, wrong, box)}
                return render(request, "ui/refused.html", words, status=400)

        return guarded

    return guard


def _wrong(request: HttpRequest, problem: BadFilter | BadCursor, box: str, params: Mapping[str, str]) -> str:
    """The parameter that cannot be understood."""
    if isinstance(problem, BadCursor):
        return CURSOR
    name = params.get(problem.field, problem.field)
    return name if name in request.GET else box


def _ways_back(request: HttpRequest, wrong: str, box: str) -> dict[str, Any]:
    """The list without what is wrong, and the search box as it was, for whoever mistyped."""
    others = {name: value for name, value in request.GET.items() if value and name not in (wrong, CURSOR)}
    kept = [(name, value) for name, value in others.items() if name != box]
    return {"back": address(request.path, **others), "box": box, "typed": request.GET.get(box, ""), "kept": kept}
