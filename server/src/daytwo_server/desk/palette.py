"""What the command palette offers. Rooms register their kinds and commands when they are loaded, in their app config.

    palette.register_kind("incident", "Incidents", "incidents.view", "siren", prefix="INC")
    palette.register_command(
        "incidents.declare", "Declare an incident", action="incidents.declare", icon="siren", url_name="incidents:new"
    )

A kind also needs a `core.ref.resolver` (title and address) and, to be found by words, a `core.search.source`. Whatever
is in the navigation or in the settings is offered by itself, and so are the buttons of the current page that have a
key (`data-key`). What a viewer may not do is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PREFIX = re.compile(r"[A-Z]{1,8}")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Objects that can be found. `prefix` is that of their ids: ERR-1093 is the object 1093."""

    name: str
    label: str
    action: str
    icon: str
    prefix: str

    def code(self, object_id: int | str) -> str:
        """The id as people say it; empty for a kind without a prefix."""
        return f"{self.prefix}-{object_id}" if self.prefix else ""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something to do: a page to open, or with `post` an address that a form is sent to."""

    name: str
    label: str
    action: str
    icon: str
    url_name: str
    post: bool
    keywords: str


_kinds: dict[str, Kind] = {}
_commands: dict[str, Command] = {}


def register_kind(kind: str, label: str, action: str, icon: str, *, prefix: str = "") -> None:
    """Let the palette find objects of this kind, as `core.ref` and `core.search` name it, under the heading `label`.

    `action` is what a viewer must be allowed to do. Registering again replaces. Raises ValueError for a prefix that is
    no capital letters or is taken.
    """
    if prefix and not _PREFIX.fullmatch(prefix):
        raise ValueError(f"The prefix {prefix!r} of {label} must be one to eight capital letters")
    taken = next((one for one in _kinds.values() if prefix and one.prefix == prefix and one.name != kind), None)
    if taken:
        raise ValueError(f"The prefix {prefix} of {label} already means {taken.label}; choose another")
    _kinds[kind] = Kind(name=kind, label=label, action=action, icon=icon, prefix=prefix)


def register_command(
    name: str, label: str, *, action: str, icon: str, url_name: str, post: bool = False, keywords: str = ""
) -> None:
    """Offer something to do, `name` being `<room>.<verb>`; `url_name` takes no arguments.

    `keywords` are further words by which people look for it. A command that posts needs no confirmation: it can be
    undone, or leads to a page that asks. Registering the same name again replaces it.
    """
    _commands[name] = Command(
        name=name, label=label, action=action, icon=icon, url_name=url_name, post=post, keywords=keywords
    )


def kinds() -> Sequence[Kind]:
    """In the order in which rooms are loaded."""
    return list(_kinds.values())


def commands() -> Sequence[Command]:
    """By label."""
    return sorted(_commands.values(), key=lambda one: one.label)
