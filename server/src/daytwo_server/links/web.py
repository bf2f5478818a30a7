"""Linking by hand, from the page of an object."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from daytwo_server.accounts.http import go_to, safe_url, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core.ref import Ref, resolve_many
from daytwo_server.desk import palette
from daytwo_server.desk.selectors import lookup
from daytwo_server.links import services
from daytwo_server.links.models import Link
from daytwo_server.ui import toasts


@require("links.manage")
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Link the object of the page (`ref`, "issue:12") with what somebody typed: an id, or exactly a title."""
    here, back = _here(request), _back(request)
    typed = request.POST.get("what", "").strip()
    found = lookup(viewer(request), typed) if typed else []
    if len(found) != 1:
        messages.error(request, _why_not(typed, found))
        return go_to(request, back)
    with toasts.telling(request, services.LinkError):
        made = services.link(here, found[0], actor=viewer(request))
        assert made is not None  # a person may link whatever was taken apart before
        toasts.undoable(request, f"Linked with {found[0].title}", reverse("links:remove", args=[made.pk]))
    return go_to(request, back)


@require("links.manage")
@require_POST
def remove(request: HttpRequest, link: int) -> HttpResponse:
    """Take two objects apart."""
    found = get_object_or_404(Link, pk=link)
    services.unlink(found, actor=viewer(request))
    toasts.undoable(request, "Link removed", reverse("links:restore", args=[found.pk]))
    return go_to(request, _back(request))


@require("links.manage")
@require_POST
def restore(request: HttpRequest, link: int) -> HttpResponse:
    """Undo a removal."""
    services.relink(get_object_or_404(Link, pk=link), actor=viewer(request))
    messages.success(request, "Linked again")
    return go_to(request, _back(request))


def _here(request: HttpRequest) -> Ref:
    """The object whose page the form stood on. 404 for one that is not there, or that the viewer may not see."""
    kind, _, object_id = request.POST.get("ref", "").partition(":")
    known = next((one for one in palette.kinds() if one.name == kind and can(request.user, one.action)), None)
    if known is None or not object_id.isdecimal() or len(object_id) > 18:
        raise Http404
    (ref,) = resolve_many([Ref(kind, object_id)])
    if not ref.url:
        raise Http404
    return ref


def _why_not(typed: str, found: list[Ref]) -> str:
    if found:
        return f"Several things are called {typed}; write the id, like ERR-12."
    return f"There is no {typed}. Write an id, like ERR-12, or a whole title." if typed else "Write an id, like ERR-12."


def _back(request: HttpRequest) -> str:
    return safe_url(request, request.POST.get("next", ""), reverse("home"))


app_name = "links"
urlpatterns = [
    path("links/", add, name="add"),
    path("links/<id:link>/remove/", remove, name="remove"),
    path("links/<id:link>/restore/", restore, name="restore"),
]
