"""Drafts, saved by a script while somebody writes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.desk import services

_LONGEST_NUMBER = 9


@require("desk.use")
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep `text` under `key`, written on top of `version`; answers {version, other, sent} of `services.Saved`."""
    values = request.POST
    version = values.get("version", "")
    if not values.get("key") or not (version.isascii() and version.isdigit() and len(version) <= _LONGEST_NUMBER):
        return HttpResponse("A draft needs a key and a version.", status=400, content_type="text/plain")
    text = values.get("text", "").replace("\r\n", "\n")
    try:
        saved = services.save_draft(viewer(request), values["key"], text, version=int(version))
    except ValueError as problem:
        return HttpResponse(str(problem), status=413, content_type="text/plain")
    if saved.begun:
        services.tell_of_begun(viewer(request), values["key"])
    return JsonResponse({"version": saved.version, "other": saved.other, "sent": saved.sent})
