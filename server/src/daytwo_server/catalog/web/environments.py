"""The environments of a project: which are production, and which nobody needs to see."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.models import Environment, Project
from daytwo_server.catalog.services.names import MAX_ENVIRONMENTS
from daytwo_server.catalog.web.common import find_project, tabs
from daytwo_server.core import clock
from daytwo_server.core.paths import numbers
from daytwo_server.ui import toasts
from daytwo_server.ui.listing import Address, all_of, refusing_bad_filters

DAY = dt.timedelta(hours=24)


def environment_list(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The list; a POST changes those that are ticked and shows it again."""
    return (_change if request.method == "POST" else _show)(request, slug)


@require("projects.view")
@require_safe
@refusing_bad_filters("Environments")
def _show(request: HttpRequest, slug: str) -> HttpResponse:
    """`?hidden=1` shows the hidden ones; `?q=`, `?kind=`, `?cursor=`."""
    project, hidden = find_project(slug), request.GET.get("hidden") == "1"
    url, parse = reverse("catalog:environments", args=[slug]), selectors.ENVIRONMENTS.parse
    listing = Address.of(url, request.GET, filters=("kind",), more=("hidden",), parse=parse)
    page = selectors.environment_page(project, listing.asked, hidden=hidden, cursor=request.GET.get("cursor", ""))
    may_manage = can(request.user, "projects.manage")
    words: dict[str, Any] = {
        "project": project,
        "rows": _rows(page.rows),
        "most": MAX_ENVIRONMENTS,
        "hidden": hidden,
        "here": request.get_full_path(),
        "kinds": Environment.Kind.choices,
        "views": [
            {"label": "Shown", "url": listing.url(hidden=None), "current": not hidden},
            {"label": "Hidden", "url": listing.url(hidden="1"), "current": hidden},
        ],
        "left_out": [one for one in selectors.left_out(project) if one.kind == "environment"],
        "may_manage": may_manage,
        "tabs": tabs(project, "environments", request.user),
        **listing.bar(listing.choice("kind", "Kind", Environment.Kind.choices), rows=all_of(page)),
        **listing.pager(page),
    }
    return render(request, "catalog/environments.html", words)


def _rows(environments: list[Environment]) -> list[tuple[Environment, int]]:
    """Each with its events of the last day."""
    events = selectors.volumes_since((one.pk for one in environments), clock.now() - DAY)
    return [(one, events.get(one.pk, 0)) for one in environments]


@require("projects.manage")
def _change(request: HttpRequest, slug: str) -> HttpResponse:
    project = find_project(slug)
    ids, (verb, _, value) = numbers(request.POST.getlist("environment")), request.POST.get("do", "").partition(":")
    if not ids:
        messages.error(request, "Nothing is selected. Tick the environments first.")
    elif verb == "kind":
        _set_kind(request, project, ids, value)
    elif verb in {"hide", "show"}:
        _hide(request, project, ids, hide=verb == "hide")
    else:
        messages.error(request, "This page does not know what to do. Reload it and try again.")
    return redirect(request.get_full_path())


def _hide(request: HttpRequest, project: Project, ids: list[int], *, hide: bool) -> None:
    change = services.hide_environments if hide else services.show_environments
    changed = change(project, ids, actor=viewer(request))
    if not changed:
        messages.success(request, "Nothing had to be changed")
        return
    text = f"{_counted(len(changed))} {'hidden' if hide else 'shown again'}"
    undo = f"{reverse('catalog:undo-environments', args=[project.slug])}?do={'show' if hide else 'hide'}&ids="
    toasts.undoable(request, text, undo + ".".join(map(str, changed)))


def _set_kind(request: HttpRequest, project: Project, ids: list[int], kind: str) -> None:
    with toasts.telling(request, services.CatalogError):
        changed = services.set_environment_kind(project, ids, kind, actor=viewer(request))
        label = Environment.Kind(kind).label.lower()
        text = f"{_counted(len(changed))} set to {label}" if changed else f"They were {label} already"
        messages.success(request, text)


def _counted(n: int) -> str:
    return f"{n} environment{'' if n == 1 else 's'}"


@require("projects.manage")
@require_POST
def undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Hide or show again what was just changed (`do` and `ids` of the address), and return to where the button was."""
    project, ids = find_project(slug), numbers(request.GET.get("ids", "").split("."))
    hide = request.GET.get("do") == "hide"
    (services.hide_environments if hide else services.show_environments)(project, ids, actor=viewer(request))
    messages.success(request, "Undone")
    here = reverse("catalog:environments", args=[slug])
    return redirect(safe_url(request, request.POST.get("next", ""), here))
