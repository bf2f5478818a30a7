"""Finding things: the palette's answers, the same as a page, and short links."""

from __future__ import annotations

import urllib.parse

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core.ref import Ref
from daytwo_server.desk import palette as registry
from daytwo_server.desk import selectors, services

ON_PAGE = 20


@require("desk.use")
@require_safe
@never_cache
def palette(request: HttpRequest) -> HttpResponse:
    """The options of the palette for `?q=`, as a part of a page; without a word what the viewer had last, less the page
    they are `?at=` now.
    """
    groups = selectors.results(viewer(request), request.GET.get("q", ""), at=request.GET.get("at", ""))
    return render(request, "desk/_options.html", {"groups": groups})


@require("desk.use")
@require_safe
@never_cache
def search(request: HttpRequest) -> HttpResponse:
    """The same for `?q=` as a page, with more of each kind."""
    text = request.GET.get("q", "")
    groups = selectors.results(viewer(request), text, limit=ON_PAGE)
    return render(request, "desk/search.html", {"groups": groups, "text": text[: selectors.MAX_TEXT]})


@require("desk.use")
@require_safe
def short_link(request: HttpRequest, code: str) -> HttpResponse:
    """Lead to the page of what people call so: ERR-12, a release, ... Where several are called so, to the search."""
    found = selectors.lookup(viewer(request), code)
    if not found:
        raise Http404
    if len(found) > 1:
        return redirect(f"{reverse('desk:search')}?{urllib.parse.urlencode({'q': code})}")
    return redirect(found[0].url)


@require("desk.use")
@require_POST
def visit(request: HttpRequest) -> HttpResponse:
    """A script tells that the viewer is on the page of `ref` ("issue:12"). A GET writes nothing, so pages cannot."""
    name, _, object_id = request.POST.get("ref", "").partition(":")
    kind = next((one for one in registry.kinds() if one.name == name), None)
    known = kind is not None and can(request.user, kind.action) and object_id.isprintable()
    if not known or not 0 < len(object_id) <= 64:
        raise Http404
    services.visited(viewer(request), Ref(name, object_id))
    return HttpResponse(status=204)
