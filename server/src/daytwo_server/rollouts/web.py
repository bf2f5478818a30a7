"""Saying whether a flag is watched, from its page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from daytwo_server.accounts.permissions import require
from daytwo_server.flags.models import Flag
from daytwo_server.flags.services import saving
from daytwo_server.flags.web.common import actor, needed, place, reason, sentence, told
from daytwo_server.rollouts import rules
from daytwo_server.ui import toasts
from daytwo_server.ui.toasts import Toast

WATCHED = {"": "", "yes": "The guard watches", "no": "The guard does not watch"}


@require("flags.change")
@require_POST
def guard(request: HttpRequest, number: int) -> HttpResponse:
    """Set whether the flag is watched in this environment, and what is done when it hurts."""
    found = place(request, number)
    environment = needed(found)
    watched, action = request.POST.get("watched", ""), request.POST.get("action", "")
    if watched not in WATCHED or action not in ("", *rules.ACTIONS):
        toasts.say(request, Toast("There is no such choice. Reload the page.", "error"))
        return redirect(found.url())
    said = ({"enabled": watched == "yes"} if watched else {}) | ({"action": action} if action else {})
    try:
        saved = saving.patch(
            found.flag, environment, {"guard": said or None}, by=actor(request), reason=reason(request)
        )
    except saving.Refused as problem:
        toasts.say(request, Toast(sentence(problem.fields), "error"))
    else:
        toasts.say(request, told(WATCHED[watched] or _usual(found.flag), saved.change))
    return redirect(found.url())


def _usual(flag: Flag) -> str:
    return "Not watched, as usual for what is to stay" if flag.is_permanent else "Watched while it ramps, as usual"


app_name = "rollouts"
urlpatterns = [path("flags/<id:number>/guard/", guard, name="guard")]
