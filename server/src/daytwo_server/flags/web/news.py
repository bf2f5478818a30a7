"""What happens to a flag while somebody looks at its page."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.core import paths
from daytwo_server.flags.actors import GUARD
from daytwo_server.flags.selectors import history
from daytwo_server.flags.web.changes import rows
from daytwo_server.flags.web.common import place

LOOKED_THROUGH = 20  # changes, for the latest of somebody else and for what the guard did


@require("flags.view")
@require_safe
def news(request: HttpRequest, number: int) -> HttpResponse:
    """The bar that says what others, a ramp or the guard changed since the revision `?seen=`; empty while nobody did.

    The page does not change by itself: what is typed there would then be saved over what nobody looked at. What the
    guard did is told first: that is what somebody looks for.
    """
    found = place(request, number)
    seen = paths.numbers([request.GET.get("seen", "")])
    if not seen:
        raise Http404
    told = []
    if found.environment is not None and found.revision > seen[0]:
        since = history.since(found.flag, found.environment.pk, seen[0], limit=LOOKED_THROUGH)
        told = rows([one for one in since if one.user_id != viewer(request).pk], found)
    guard = [one for one in told if one.change.user_id is None and one.change.by == GUARD.name]
    context = {"row": next(iter([*guard, *told]), None), "by_guard": bool(guard), "here": found.url()}
    return render(request, "flags/_news.html", context)
