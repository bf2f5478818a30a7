"""Changing issues from the list and from their pages, and taking it back."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.core import paths
from daytwo_server.errors import services
from daytwo_server.errors.models import Activity
from daytwo_server.ui.toasts import Toast

MAX_AT_ONCE = 200  # issues that change in one transaction, so that other writers get their turn
MAX_UNDONE = 5000
Change = Callable[..., list[Activity]]
_DONE = {"resolve": "resolved", "ignore": "ignored", "reopen": "reopened", "assign": "assigned"}
_STATUS_VERBS = {"resolve": services.resolve, "ignore": services.ignore, "reopen": services.unresolve}


def ticked(request: HttpRequest) -> list[int]:
    """The issues of a list's form: the one whose own button was pressed, else those that are ticked."""
    _, _, one = request.POST.get("do", "").partition(":")
    return paths.numbers([one] if one else request.POST.getlist("issue"))


def apply(request: HttpRequest, numbers: Sequence[int]) -> Toast:
    """Do what the pressed button says (`do` is resolve, ignore, reopen or assign); tells what was done.

    Whom to assign stands in `assignee` or behind the verb ("assign:bob@example.com"): an e-mail address, `me`, or
    nothing for nobody. Many change in several transactions: what fails leaves done what was done before it.
    """
    verb, _, given = request.POST.get("do", "").partition(":")
    if verb not in _DONE:
        return Toast("This page does not know what to do. Reload it and try again.", "error")
    if not numbers:
        return Toast("Nothing is selected. Tick the errors first.", "error")
    actor = viewer(request)
    change: Change = _STATUS_VERBS.get(verb, services.assign)
    if verb == "assign":
        who = request.POST.get("assignee", given)
        change = functools.partial(services.assign, email=actor.email if who == "me" else who or None)
    try:
        changed = [one for some in _parts(numbers) for one in change(some, actor=actor)]
    except services.NotAMember as problem:
        return Toast(str(problem), "error")
    return _told(verb, changed, numbers)


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), MAX_AT_ONCE):
        yield numbers[start : start + MAX_AT_ONCE]


def _told(verb: str, changed: Sequence[Activity], numbers: Sequence[int]) -> Toast:
    done = _DONE[verb]
    if not changed:
        whom = f"ERR-{numbers[0]} was" if len(numbers) == 1 else "These were"
        return Toast(f"{whom} {done} already")
    text = f"ERR-{changed[0].issue_id} {done}" if len(changed) == 1 else f"{len(changed):,} errors {done}"
    return Toast(text, undo=f"{reverse('errors:undo')}?changes={_runs([one.pk for one in changed])}")


def _runs(ids: Sequence[int]) -> str:
    """Ids as an address can hold thousands of them: "17-216.220"."""
    runs: list[list[int]] = []
    for pk in sorted(ids):
        if runs and pk == runs[-1][1] + 1:
            runs[-1][1] = pk
        else:
            runs.append([pk, pk])
    return ".".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)


def _of_runs(text: str) -> list[int]:
    """What `_runs` wrote; of more than `MAX_UNDONE` the first."""
    ids: list[int] = []
    for first, last in re.findall(r"([0-9]{1,18})(?:-([0-9]{1,18}))?", text):
        ids += range(int(first), min(int(last or first), int(first) + MAX_UNDONE) + 1)
        if len(ids) > MAX_UNDONE:
            break
    return ids[:MAX_UNDONE]


@require("errors.triage")
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back the viewer's own changes (`changes` are ids of activities) and return to where the button was."""
    ids = _of_runs(request.GET.get("changes", ""))
    undone = sum(services.undo(some, actor=viewer(request)) for some in _parts(ids))
    if undone:
        messages.success(request, "Undone" if undone == 1 else f"{undone:,} changes undone")
    else:
        messages.error(request, "Nothing was undone: somebody changed it again since.")
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("errors:list")))
