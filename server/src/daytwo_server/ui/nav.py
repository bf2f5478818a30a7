"""What stands in the navigation, and the sections of the settings.

Rooms register theirs when they are loaded; no room is known here by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from daytwo_server.core import preferences

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


_history = ""


def register_history(url_name: str) -> None:
    """Name the section that shows what was ever done to an object: it takes `?object=kind:id`."""
    global _history  # noqa: PLW0603 - there is one
    _history = url_name


def history() -> str:
    """The name of that section, empty when no room has one."""
    return _history


def sections() -> Sequence[Section]:
    """All pages of the settings in the order of the page."""
    return sorted(_sections.values(), key=lambda one: (SECTION_GROUPS.index(one.group), one.order, one.label))
