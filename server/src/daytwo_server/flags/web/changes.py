"""What changed, with the difference, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import safe_url
from daytwo_server.accounts.permissions import require
from daytwo_server.flags import words
from daytwo_server.flags.models import Change
from daytwo_server.flags.selectors import history
from daytwo_server.flags.services import reverting, saving
from daytwo_server.flags.web.common import UNDONE, Place, actor, frame, place, reason, sentence, told
from daytwo_server.ui import toasts
from daytwo_server.ui.listing import Address, refusing_bad_filters

VERBS = {
    "created": "created the flag", "changed": "changed it", "enabled": "switched it on", "disabled": "switched it off",
    "killed": "pulled the kill switch", "revived": "released the kill switch", "archived": "archived the flag",
    "restored": "brought the flag back", "reverted": "took a change back", "override_set": "set an override",
    "override_removed": "removed an override", "ramp_started": "started a ramp", "ramp_held": "held the ramp",
    "ramp_resumed": "let the ramp go on", "ramp_stopped": "stopped the ramp", "ramp_stepped": "took the next step",
    "ramp_stepped_back": "went back a step", "segment_changed": "changed a segment",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A change as pages show it."""

    change: Change
    verb: str
    where: str
    lines: list[tuple[str, str]]

    @property
    def is_of_overrides(self) -> bool:
        """Whether who may override, and nothing else, may take it back too."""
        return "overrides" in self.change.after

    @property
    def can_be_reverted(self) -> bool:
        return self.change.action != "created" and self.change.after.keys() != {"ramp"}


def rows(found: Sequence[Change], here: Place) -> list[Row]:
    """Changes for showing; each says where it was when that is elsewhere. How a flag began is what its page shows."""
    return [
        Row(
            one,
            _verb(one),
            _where(one, here),
            [] if one.action == "created" else words.difference(one.before, one.after),
        )
        for one in found
    ]


def _verb(change: Change) -> str:
    if change.action == "changed" and change.after.keys() == {"rolloutPercentage"}:
        sides = (change.before.get("rolloutPercentage"), change.after["rolloutPercentage"])
        old, new = (100 if one is None else one for one in sides)
        return "raised the rollout" if new > old else "lowered the rollout"
    return VERBS.get(change.action, change.action.replace("_", " "))


def _where(change: Change, here: Place) -> str:
    if change.environment_id is None:
        return "everywhere"
    if here.environment is not None and change.environment_id == here.environment.pk:
        return ""
    return f"in {change.environment.name}" if change.environment else ""


@require("flags.view")
@require_safe
@refusing_bad_filters("Flag", box="")
def changes(request: HttpRequest, number: int) -> HttpResponse:
    """Everything that was ever changed."""
    found = place(request, number)
    page = history.changes(found.flag, cursor=request.GET.get("cursor", ""))
    here = found.environment.name if found.environment else ""
    pages = Address(path=request.path, params={"environment": here} if here else {}).pager(page)
    nowhere = Place(found.flag, (), None, None)
    context = {
        **frame(request, found, page="changes"),
        "crumb": "All changes",
        "changes": rows(page.rows, nowhere),
        **pages,
    }
    return render(request, "flags/changes.html", context)


@require("flags.override")
@require_POST
def revert(request: HttpRequest, change: int) -> HttpResponse:
    """Take one change back, whatever was changed since in other fields. Who may override takes back overrides alone."""
    found = history.change(change)
    if found is None:
        raise Http404
    return (_take_back if "overrides" in found.after else require("flags.change")(_take_back))(request, found)


def _take_back(request: HttpRequest, found: Change) -> HttpResponse:
    try:
        made = reverting.revert(found, by=actor(request), reason=reason(request) or UNDONE)
        toasts.say(request, told(f"The change of {found.flag.key} is taken back", made))
    except saving.Refused as problem:
        messages.error(request, f"It cannot be taken back: {sentence(problem.fields)}")
    except saving.Conflict as problem:
        messages.error(request, str(problem))
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("flags:flag", args=[found.flag_id])))
