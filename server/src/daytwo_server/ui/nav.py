"""What stands in the navigation, and the sections of the settings.

Rooms register theirs when they are loaded; no room is known here by name.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import Error
from django.db.models import QuerySet

from daytwo_server.core import preferences, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.core.trouble import words

log = logging.getLogger(__name__)
Rows = Callable[[], QuerySet[Any]]

ALWAYS = "settings"  # the page where hidden ones are brought back
# The headings in the order people read them; the first group has none.
GROUPS = ("", "Respond", "Observe", "Support", "Ship", "Operate")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One link. `key` follows `g` on the keyboard, `action` is what a viewer must be allowed to do to see it."""

    group: str
    label: str
    url_name: str
    icon: str
    key: str
    order: int
    action: str
    tab: int | None


@dataclass(frozen=True, kw_only=True)
class Link:
    """An entry as the page of a viewer shows it. `count` is of what is `counted`; `hot` ones wake people."""

    label: str
    url: str
    icon: str = ""
    key: str = ""
    current: bool = False
    count: int | str = ""
    counted: str = ""
    hot: bool = False


@dataclass(frozen=True)
class Group:
    """Links under a heading."""

    label: str
    links: tuple[Link, ...]


_entries: dict[str, Entry] = {}


def register(
    group: str, label: str, url_name: str, icon: str, key: str, order: int, action: str, *, tab: int | None = None
) -> None:
    """Add a link under one of `GROUPS`; `order` sorts within the group, `tab` is its place in the phone's bottom bar.

    Registering the same page again replaces it. Raises ValueError for an unknown group or a key that is taken.
    """
    if group not in GROUPS:
        raise ValueError(f"No navigation group {group!r}; there are {', '.join(map(repr, GROUPS))}")
    taken = next((e for e in _entries.values() if key and e.key == key and e.url_name != url_name), None)
    if taken:
        raise ValueError(f"The key {key!r} of {label} already leads to {taken.label}; choose another letter")
    _entries[url_name] = Entry(
        group=group, label=label, url_name=url_name, icon=icon, key=key, order=order, action=action, tab=tab
    )


def entries() -> Sequence[Entry]:
    """The links in the order of the page, less those that the setting `hidden` leaves out."""
    hidden = {name.casefold() for name in preferences.current().hidden}
    shown = [entry for entry in _entries.values() if entry.label.casefold() not in hidden or entry.url_name == ALWAYS]
    return sorted(shown, key=lambda entry: (GROUPS.index(entry.group), entry.order, entry.label))


# The headings of the settings, in the order of the page.
SECTION_GROUPS = ("You", "Workspace", "Installation")


@dataclass(frozen=True, kw_only=True)
class Section:
    """A page of the settings. `action` is what a viewer must be allowed to do to see it."""

    group: str
    label: str
    url_name: str
    icon: str
    order: int
    action: str
    text: str


_sections: dict[str, Section] = {}


def register_section(group: str, label: str, url_name: str, icon: str, order: int, action: str, *, text: str) -> None:
    """Add a page to the settings under one of `SECTION_GROUPS`; `text` says in half a sentence what is found there.

    The page extends `ui/settings.html`. Registering the same page again replaces it. Raises ValueError for an unknown
    group.
    """
    if group not in SECTION_GROUPS:
        raise ValueError(f"No group of settings {group!r}; there are {', '.join(map(repr, SECTION_GROUPS))}")
    _sections[url_name] = Section(
        group=group, label=label, url_name=url_name, icon=icon, order=order, action=action, text=text
    )
    sections.cache_clear()


_history = ""


def register_history(url_name: str) -> None:
    """Name the section that shows what was ever done to an object: it takes `?object=kind:id`."""
    global _history  # noqa: PLW0603 - there is one
    _history = url_name


def history() -> str:
    """The name of that section, empty when no room has one."""
    return _history


@functools.cache
def sections() -> Sequence[Section]:
    """All pages of the settings in the order of the page."""
    return sorted(_sections.values(), key=lambda one: (SECTION_GROUPS.index(one.group), one.order, one.label))


# ---- How much waits behind the links ----

MOST = 99
MAX_AGE_S = 5.0
_waiting: dict[str, tuple[Rows, str]] = {}


@dataclass(frozen=True)
class Waiting:
    """What waits behind a link: how much, as it is shown, and what that is."""

    count: str
    what: str


class _Counts:
    """What this process counted last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.found: Mapping[str, Waiting] = {}
        self.next_look = 0.0  # time.monotonic()


_cache = _Counts()


def count(url_name: str, rows: Rows, what: str) -> None:
    """Have a number stand beside a link of the navigation or the settings: how many rows of the store `default` wait
    there, and in words `what` they are ("dead letters").
    """
    _waiting[url_name] = (rows, what)


def waiting() -> Mapping[str, Waiting]:
    """By the name of a link what waits behind it; the links behind which nothing does are left out.

    One statement for all of them, and that every few seconds: whoever asks in between is told what was known then, and
    so is everybody while the store cannot say.
    """
    if _waiting and time.monotonic() >= _cache.next_look and _cache.lock.acquire(blocking=False):
        try:
            _look()
        finally:
            _cache.lock.release()
    return _cache.found


def forget_counts() -> None:
    """Count anew when somebody asks next. For tests, which take back what they wrote."""
    _cache.forget()


def _look() -> None:
    _cache.next_look = time.monotonic() + MAX_AGE_S
    asked = [rows().order_by().values("pk")[: MOST + 1].query.sql_with_params() for rows, _ in _waiting.values()]
    parts = ", ".join(f"(SELECT COUNT(*) FROM ({text}) AS waiting)" for text, _ in asked)
    try:
        [found] = sql.fetch(DEFAULT, f"SELECT {parts}", [value for _, values in asked for value in values])
    except Error as problem:
        log.warning("What waits behind the navigation cannot be counted (%s).", words(problem))
        return
    _cache.found = {
        name: Waiting(f"{MOST}+" if n > MOST else str(n), what)
        for (name, (_, what)), n in zip(_waiting.items(), found, strict=True)
        if n
    }
