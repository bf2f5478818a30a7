"""A rollout that goes up by itself: starting it, holding it, going on, back a step, stopping it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from daytwo_server.accounts.http import go_to
from daytwo_server.accounts.permissions import require
from daytwo_server.flags import words
from daytwo_server.flags.models import Ramp
from daytwo_server.flags.selectors import detail
from daytwo_server.flags.services import ramps, saving
from daytwo_server.flags.web.common import Place, actor, frame, needed, place, reason, sentence, state_in
from daytwo_server.flags.web.drafts import number as percentage
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.toasts import Toast

UNITS = {"m": ("minutes", 60), "h": ("hours", 3600), "d": ("days", 86_400)}
ROWS = 6
USUAL = [("1", "1", "h"), ("10", "1", "d"), ("25", "1", "d"), ("50", "1", "d"), ("100", "", "h")]


@require("flags.change")
@require_http_methods(["GET", "HEAD", "POST"])
def ramp_page(request: HttpRequest, number: int) -> HttpResponse:
    """The form of a new ramp; a POST starts it, or does to the one that runs what the button says."""
    found = place(request, number)
    needed(found)
    if request.method != "POST":
        return _form(request, found, USUAL)
    verb = request.POST.get("do", "start")
    if verb != "start":
        toasts.say(request, _apply(request, found, verb))
        return redirect(found.url())
    return _start(request, found)


def _start(request: HttpRequest, found: Place) -> HttpResponse:
    sent = [
        tuple(request.POST.get(f"{name}-{row}", "").strip() for name in ("percent", "hold", "unit"))
        for row in range(ROWS)
    ]
    rows = [(percent, hold, unit) for percent, hold, unit in sent if percent]
    steps = [_step(percent, hold, unit) for percent, hold, unit in rows]
    try:
        ramps.start(
            state_in(found.flag, needed(found), by=actor(request)), steps, by=actor(request), reason=reason(request)
        )
    except saving.Refused as problem:
        texts = [f"{_label(path)}{text}" for path, said in problem.fields.items() for text in said]
        return _form(request, found, rows, status=422, problems=texts)
    except saving.Conflict as problem:
        return _form(request, found, rows, status=409, problems=[str(problem)])
    toasts.say(request, Toast(f"{found.flag.key} goes to {words.share(steps[0]['percent'])} now, and on from there"))
    return go_to(request, found.url())


def _label(path: str) -> str:
    """Where it is, as people count: "Step 2: "."""
    named = re.match(r"steps\[(\d+)\]", path)
    return f"Step {int(named[1]) + 1}: " if named else ""


def _step(percent: str, hold: str, unit: str) -> dict[str, Any]:
    """A step as it is kept. What is no number stays a text, for the service to refuse."""
    step: dict[str, Any] = {"percent": percentage(percent)}
    if hold:
        length = percentage(hold)
        step["holdSeconds"] = round(length * UNITS.get(unit, UNITS["h"])[1]) if isinstance(length, float) else length
    return step


def _apply(request: HttpRequest, found: Place, verb: str) -> Toast:
    running = detail.ramp(found.state)
    if verb not in _VERBS or running is None:
        return Toast("There is no ramp to change. Reload the page.", "error")
    service, text = _VERBS[verb]
    try:
        service(running, by=actor(request), note=reason(request))
    except saving.Refused as problem:
        return Toast(sentence(problem.fields), "error")
    except saving.Conflict as problem:
        return Toast(str(problem), "error")
    return Toast(text)


_VERBS: dict[str, tuple[Callable[..., Ramp], str]] = {
    "hold": (ramps.hold, "The ramp is held where it is"),
    "resume": (ramps.resume, "The ramp goes on"),
    "back": (ramps.step_back, "The ramp went back a step and is held there"),
    "stop": (ramps.stop, "The ramp is stopped; the rollout stays where it is"),
}


def _form(
    request: HttpRequest, found: Place, rows: list[Any], *, status: int = 200, problems: list[str] | None = None
) -> HttpResponse:
    context = {
        **frame(request, found, page="ramp"),
        "crumb": "Ramp",
        "rows": [*rows, *[("", "", "h")] * (ROWS - len(rows))],
        "units": [(key, label) for key, (label, _) in UNITS.items()],
        "problems": problems or [],
        "kept_reason": reason(request),
        "action": found.url("ramp"),
    }
    return htmx.render(request, "flags/ramp.html", "flags/_ramp_form.html", context, status=status)
