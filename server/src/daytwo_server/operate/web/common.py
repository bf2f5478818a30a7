"""What the pages of this room share: a list whose whole state is its address."""

from __future__ import annotations

import datetime as dt
import functools
import urllib.parse
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils import timezone

from daytwo_server.core.pages import BadCursor, Page
from daytwo_server.core.query import BadFilter
from daytwo_server.ui import htmx

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Address:
    """A path and those of its parameters that are given."""

    path: str
    params: Mapping[str, str]

    @classmethod
    def of(cls, path: str, values: QueryDict, names: Collection[str]) -> Address:
        # No value holds a NUL, and PostgreSQL takes none, not even to compare with.
        given = {name: values.get(name, "").replace("\x00", "").strip()[:200] for name in names}
        return cls(path, {name: value for name, value in given.items() if value})

    def get(self, name: str) -> str:
        return self.params.get(name, "")

    def url(self, **changes: str | None) -> str:
        """The address with other parameters; None or "" takes one away."""
        params = {name: value for name, value in {**self.params, **changes}.items() if value}
        return f"{self.path}?{urllib.parse.urlencode(params)}" if params else self.path

    def chips(self, words: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
        """One for each parameter that is given: `words` has its name and its value for people."""
        return [
            {"name": words[name][0], "verb": "is", "value": words[name][1], "url": self.url(**{name: None})}
            for name in self.params
        ]

    def pager(self, page: Page[Any]) -> dict[str, str]:
        """`previous` and `next`: the addresses of the neighbouring pages, empty where there is none."""
        return {
            "previous": self.url(cursor=page.previous) if page.previous else "",
            "next": self.url(cursor=page.next) if page.next else "",
        }

    def since(self) -> dt.datetime | None:
        """The beginning of the day `since`, in the viewer's time zone. Raises `BadFilter`."""
        return _midnight("since", self.get("since"))

    def until(self) -> dt.datetime | None:
        """The end of the day `until`. Raises `BadFilter`."""
        return _midnight("until", self.get("until"), days=1)


def _midnight(name: str, text: str, *, days: int = 0) -> dt.datetime | None:
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text) + dt.timedelta(days=days)
        return timezone.make_aware(dt.datetime.combine(day, dt.time())).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise BadFilter(name, f"{text} is no day; write it like 2026-11-23.") from None


def refusing_bad_filters(view: View) -> View:
    """Answer an address that asks for something that does not exist with 400 and a way back."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (BadFilter, BadCursor) as problem:
            if htmx.wants_part(request):
                return HttpResponse(str(problem), status=400, content_type="text/plain")
            return render(request, "operate/refused.html", {"problem": str(problem)}, status=400)

    return guarded
