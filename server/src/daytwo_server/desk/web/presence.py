"""Who else is on a page: scripts say who is there, and ask."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core.ref import Ref
from daytwo_server.desk import palette, selectors, services


@require("desk.use")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def presence(request: HttpRequest) -> HttpResponse:
    """Who else is at `ref` ("ticket:12"), as a part of a page. A POST says that the viewer is there: with `typing` that
    they write, with `gone` that they leave.
    """
    ref = _ref(request, request.POST if request.method == "POST" else request.GET)
    if request.method == "POST" and request.POST.get("gone"):
        services.absent(viewer(request), ref)
        return HttpResponse(status=204)
    if request.method == "POST":
        services.present(viewer(request), ref, typing=bool(request.POST.get("typing")))
    return render(request, "desk/_presence.html", {"others": selectors.others_at(ref, viewer(request))})


def _ref(request: HttpRequest, values: QueryDict) -> Ref:
    name, _, object_id = values.get("ref", "").partition(":")
    kind = next((one for one in palette.kinds() if one.name == name), None)
    if kind is None or not can(request.user, kind.action) or not (object_id.isprintable() and 0 < len(object_id) <= 64):
        raise Http404
    return Ref(name, object_id)
