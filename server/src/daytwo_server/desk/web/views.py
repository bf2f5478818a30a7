"""Saved views: tabs above lists. Every form works without a script and leads back to the list."""

from __future__ import annotations

import functools
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.desk import services
from daytwo_server.desk.models import SavedView
from daytwo_server.ui import toasts


@require("desk.use")
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep the list's address (`query`) under `name`; `shared` shows it to everybody."""
    page, name, query = (request.POST.get(field, "") for field in ("page", "name", "query"))
    shared = bool(request.POST.get("shared")) and can(request.user, "desk.share")
    with toasts.telling(request, services.DeskError):
        view = services.save_view(viewer(request), page, name, query, shared=shared)
        messages.success(request, f"View {view.name} saved")
    return _back(request)


Verb = Callable[[HttpRequest, SavedView], HttpResponse]


def _of_owner(verb: Verb) -> Callable[..., HttpResponse]:
    """A page for the owner of a view, and for shared ones for those who tidy up. What others keep for themselves is as
    if it were not there.
    """
    own = require("desk.use")(require_POST(verb))
    shared = require("desk.tidy")(require_POST(verb))

    @require("desk.use")
    @functools.wraps(verb)
    def page(request: HttpRequest, view: int) -> HttpResponse:
        found = SavedView.objects.filter(pk=view).first()
        if found is not None and found.owner_id == request.user.pk:
            return own(request, found)
        if found is None or not found.shared:
            raise Http404
        return shared(request, found)

    return page


@_of_owner
def change(request: HttpRequest, view: SavedView) -> HttpResponse:
    """Do what the pressed button says: `do` is rename, share, hide, left, right or delete."""
    user = viewer(request)
    match request.POST.get("do", ""):
        case "rename":
            with toasts.telling(request, services.DeskError):
                services.rename_view(view, request.POST.get("name", ""))
        case "share" if can(user, "desk.share"):
            services.share_view(view, shared=True, actor=user)
        case "hide":
            services.share_view(view, shared=False, actor=user)
        case "left":
            services.move_view(view, -1)
        case "right":
            services.move_view(view, 1)
        case "delete":
            services.delete_view(view, actor=user)
            toasts.undoable(request, f"View {view.name} deleted", reverse("desk:restore-view", args=[view.pk]))
        case _:
            messages.error(request, "Nothing was changed: this page does not know what to do, or you may not.")
    return _back(request)


@_of_owner
def restore(request: HttpRequest, view: SavedView) -> HttpResponse:
    """Undo a deletion."""
    with toasts.telling(request, services.DeskError):
        services.restore_view(view, actor=viewer(request))
        messages.success(request, f"View {view.name} is back")
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("home")))
