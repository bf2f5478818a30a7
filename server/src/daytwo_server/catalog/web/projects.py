"""Pages about projects: the list, one project with its keys, and what to paste to see a first error."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.forms import KeyForm, ProjectForm, ProjectSettingsForm
from daytwo_server.catalog.models import DsnKey, Project
from daytwo_server.catalog.snippets import SNIPPETS, snippet
from daytwo_server.catalog.web.common import blame, find_project, project_url, tabs
from daytwo_server.core import clock, conf
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, archive_tabs, refusing_bad_filters

DAY = dt.timedelta(hours=24)
SHOWN = 10  # environments and releases beside the keys


@require("projects.view")
@require_safe
@refusing_bad_filters("Projects")
def project_list(request: HttpRequest) -> HttpResponse:
    """The projects in use; `?archived=1` shows the others, `?q=` searches."""
    listing = Address.of(reverse("catalog:list"), request.GET, more=("archived",), parse=selectors.PROJECTS.parse)
    archived = listing.get("archived") == "1"
    projects = list(selectors.projects(listing.asked, archived=archived))
    words = {
        "projects": projects,
        "archived": archived,
        "tabs": archive_tabs(listing, archived=archived),
        "may_manage": can(request.user, "projects.manage"),
        **listing.bar(rows=projects),
    }
    return render(request, "catalog/list.html", words)


@require("projects.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def create_project(request: HttpRequest) -> HttpResponse:
    """Create a project and lead to it, where its keys are."""
    form = ProjectForm(request.POST if request.method == "POST" else None)
    try:
        if form.is_valid():
            project = services.create_project(form.cleaned_data["name"], actor=viewer(request))
            return go_to(request, project_url(project))
    except services.CatalogError as problem:
        blame(form, problem, "name")
    focus_first_error(form)
    status = 422 if request.method == "POST" else 200
    return htmx.render(request, "catalog/new.html", "catalog/_project_form.html", {"form": form}, status=status)


@require("projects.view")
@require_safe
def project_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Keys, environments and releases; before the first event also how to send one.

    While it waits, the page asks for a part every two seconds: nothing (204) until the event is there.
    """
    project = find_project(slug)
    if not htmx.wants_part(request):
        return show(request, project, KeyForm())
    if project.first_event_at is None:
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    answer = render(request, "catalog/_reports.html", {"project": project})
    answer["HX-Trigger"] = "seen"  # what stands beside it has news too
    return answer


def show(request: HttpRequest, project: Project, form: KeyForm, *, status: int = 200) -> HttpResponse:
    """The project's page with this form for another key."""
    focus_first_error(form)
    keys = list(selectors.keys_of(project))
    uses = selectors.uses_since(project, clock.now() - DAY)
    public_url = conf.current().public_url
    may_manage = can(request.user, "projects.manage")
    words: dict[str, Any] = {
        **_seen(project),
        "topic": services.project_topic(project.pk),
        "tabs": tabs(project, "project", request.user),
        "keys": [(key, services.dsn(key, public_url), *uses.get(key.pk, (0, 0))) for key in keys],
        "left_out": selectors.left_out(project),
        "key_form": form,
        "may_manage": may_manage and project.archived_at is None,
        "onboarding": _onboarding(request, project, keys),
    }
    return render(request, "catalog/project.html", words, status=status)


@require("projects.view")
@require_safe
def seen(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of the page that events change: environments and releases."""
    return render(request, "catalog/_seen.html", _seen(find_project(slug)))


def _seen(project: Project) -> dict[str, Any]:
    environments = list(selectors.environments_of(project)[: SHOWN + 1])
    releases = list(selectors.recent_releases(project, SHOWN + 1))
    return {
        "project": project,
        "environments": environments[:SHOWN],
        "more_environments": len(environments) > SHOWN,
        "releases": releases[:SHOWN],
        "more_releases": len(releases) > SHOWN,
    }


@require("projects.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def project_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Its name and platform, and putting it away."""
    project = find_project(slug)
    form = ProjectSettingsForm(request.POST) if request.method == "POST" else ProjectSettingsForm.of(project)
    try:
        if form.is_valid():
            services.change_project(project, **form.cleaned_data, actor=viewer(request))
            messages.success(request, "Saved")
            return go_to(request, reverse("catalog:settings", args=[slug]))
    except services.CatalogError as problem:
        blame(form, problem, "name")
    focus_first_error(form)
    status = 422 if request.method == "POST" else 200
    words = {"project": project, "form": form, "tabs": tabs(project, "settings", request.user)}
    return htmx.render(request, "catalog/settings.html", "catalog/_settings_form.html", words, status=status)


@require("projects.manage")
@require_POST
def archive(request: HttpRequest, slug: str, *, archived: bool) -> HttpResponse:
    """Put a project away or bring it back; each offers the other as its undo."""
    project = find_project(slug)
    (services.archive_project if archived else services.restore_project)(project, actor=viewer(request))
    text = f"{project.name} is archived and its events are refused" if archived else f"{project.name} is back"
    undo = "catalog:restore" if archived else "catalog:archive"
    toasts.undoable(request, text, reverse(undo, args=[slug]))
    return go_to(request, project_url(project))


def _onboarding(request: HttpRequest, project: Project, keys: list[DsnKey]) -> dict[str, Any] | None:
    """The snippet with a key that works; None once the project reported, or when it is archived."""
    if project.first_event_at or project.archived_at:
        return None
    chosen = snippet(request.GET.get("sdk", ""))
    key = next((key for key in keys if key.is_active and not key.has_ended), None)
    chips = [{"label": one.label, "url": f"?sdk={one.key}", "current": one is chosen} for one in SNIPPETS]
    return {
        "tabs": chips,
        "chosen": chosen,
        "code": chosen.with_dsn(services.dsn(key, conf.current().public_url)) if key else "",
    }
