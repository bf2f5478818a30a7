"""Changing tickets from the list and from their pages, and taking it back."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Category, Priority, Status
from daytwo_server.tickets.selectors import inbox
from daytwo_server.tickets.selectors.inbox import Was
from daytwo_server.tickets.services import Change, Invalid
from daytwo_server.ui.toasts import Toast

UNDO_WINDOW_S = 600
_SALT = "tickets.undo"
_TYPED = "?"  # in place of a value: it stands in the field of the same name
_CHOICES: dict[str, Any] = {"status": Status, "priority": Priority, "category": Category}
Back = tuple[dict[str, Any], dict[str, Any], list[int]]


class _Unknown(ValueError):
    """No button of ours says that."""


def apply(request: HttpRequest, do: str, numbers: Sequence[int]) -> Toast:
    """Do what a button says, `do` being like "status=resolved", "assignee=me", "tag=?"; tells what was done.

    With "?" the value is what was typed into the field of that name.
    """
    if not numbers:
        return Toast("Nothing is selected. Tick the tickets first.", "error")
    before = inbox.as_they_are(numbers)
    try:
        wanted, done = _wanted(request, do)
        told = services.change_many(list(before), wanted, actor=viewer(request))
    except _Unknown:
        return Toast("This page does not know what to do. Reload it and try again.", "error")
    except Invalid as problem:
        return Toast(_words(problem), "error")
    after = inbox.as_they_are(told.changed)
    moved = {number: was for number, was in before.items() if after.get(number, was) != was}
    return _told(done, moved, after, told.refused)


def _wanted(request: HttpRequest, do: str) -> tuple[Change, str]:
    """What a button asks for, and in words what was done then."""
    what, _, value = do.partition("=")
    if value == _TYPED:
        value = request.POST.get("tag" if what == "untag" else what, "").strip()
    if what in _CHOICES:
        return _chosen(what, value)
    match what:
        case "assignee":
            email = viewer(request).email if value == "me" else value
            return Change(assignee=email), f"assigned to {'you' if value == 'me' else email or 'nobody'}"
        case "team":
            return Change(team=value), f"given to the team {value}" if value else "taken from their team"
        case "tag":
            return Change(add_tags=_several(value)), f"tagged {value}"
        case "untag":
            return Change(remove_tags=_several(value)), f"no longer tagged {value}"
    raise _Unknown(do)


def _chosen(what: str, value: str) -> tuple[Change, str]:
    among: Any = _CHOICES[what]
    if value not in among.values:
        raise _Unknown(value)
    one = among(value)
    done = "resolved" if one == Status.RESOLVED else f"now {one.label.lower()}"
    return Change(**{what: one}), done if what == "status" else f"{what} {one.label.lower()}"


def _several(typed: str) -> list[str]:
    """What stands between commas. Raises `Invalid` when that is nothing."""
    names = [name for name in (part.strip() for part in typed.split(",")) if name]
    if not names:
        raise Invalid({"tags": ["Write a tag first."]})
    return names


def _words(problem: Invalid) -> str:
    return " ".join(word for words in problem.fields.values() for word in words)


def _told(done: str, moved: Mapping[int, Was], after: Mapping[int, Was], refused: Mapping[int, str]) -> Toast:
    if refused and not moved:
        number, why = next(iter(refused.items()))
        return Toast(why if len(refused) == 1 else f"None of them. T-{number}: {why}", "error")
    if not moved:
        return Toast("That was so already")
    text = f"T-{next(iter(moved))} {done}" if len(moved) == 1 else f"{len(moved):,} tickets {done}"
    if refused:
        number, why = next(iter(refused.items()))
        text += f"; {len(refused):,} could not be. T-{number}: {why}"
    return Toast(text, undo=_undo_path(moved, after))


def _undo_path(moved: Mapping[int, Was], after: Mapping[int, Was]) -> str:
    """Where to take it back; empty when one of them is closed now, which is for good."""
    if any(after[number].status == Status.CLOSED for number in moved):
        return ""
    groups: dict[str, Back] = {}
    for number, was in moved.items():
        then, now = _difference(was, after[number])
        groups.setdefault(repr((then, now)), (then, now, []))[2].append(number)
    token = signing.dumps(list(groups.values()), salt=_SALT, compress=True)
    return f"{reverse('tickets:undo')}?{urllib.parse.urlencode({'back': token})}"


def _difference(was: Was, now: Was) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields in which they differ, as they were and as they are."""
    names = [
        name
        for name in ("status", "priority", "category", "team", "assignee")
        if getattr(was, name) != getattr(now, name)
    ]
    then, since = ({name: getattr(one, name) for name in names} for one in (was, now))
    if was.tags != now.tags:
        then["tags"], since["tags"] = sorted(was.tags), sorted(now.tags)
    return then, since


@require("tickets.manage")
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back what the signed `back` tells where nobody changed it again, and return to where the button was."""
    try:
        groups: list[Back] = signing.loads(request.GET.get("back", ""), salt=_SALT, max_age=UNDO_WINDOW_S)
    except signing.BadSignature:
        messages.error(request, "Nothing was undone: that was more than ten minutes ago.")
        groups = []
    else:
        _report(request, sum(_set_back(request, *group) for group in groups))
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("tickets:list")))


def _set_back(request: HttpRequest, then: dict[str, Any], now: dict[str, Any], numbers: list[int]) -> int:
    untouched = [number for number, is_ in inbox.as_they_are(numbers).items() if _has(is_, now)]
    values = {name: _CHOICES[name](value) if name in _CHOICES else value for name, value in then.items()}
    return len(services.change_many(untouched, Change(**values), actor=viewer(request)).changed)


def _has(ticket: Was, fields: Mapping[str, Any]) -> bool:
    return all(
        getattr(ticket, name) == (frozenset(value) if name == "tags" else value) for name, value in fields.items()
    )


def _report(request: HttpRequest, undone: int) -> None:
    if undone:
        messages.success(request, "Undone" if undone == 1 else f"{undone:,} changes undone")
    else:
        messages.error(request, "Nothing was undone: somebody changed it again since.")
