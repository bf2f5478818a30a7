"""Pages about projects: the list, one project with its keys, and what to paste to see a first error."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from daytwo_server.accounts.http import focus_first_error, go_to
from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.forms import KeyForm, KeyLimitsForm, ProjectForm
from daytwo_server.catalog.models import DsnKey, Project
from daytwo_server.catalog.snippets import SNIPPETS, snippet
from daytwo_server.core import conf
from daytwo_server.ui import htmx, toasts


@require("projects.view")
@require_GET
def project_list(request: HttpRequest) -> HttpResponse:
    """All projects, and for those who may the form for another one."""
    return _list_page(request, ProjectForm())


@require("projects.manage")
@require_POST
def create_project(request: HttpRequest) -> HttpResponse:
    """Create a project and lead to it, where its keys are."""
    form = ProjectForm(request.POST)
    try:
        if form.is_valid():
            project = services.create_project(form.cleaned_data["name"], actor=_viewer(request))
            return go_to(request, _url(project))
    except services.CatalogError as problem:
        form.add_error("name", str(problem))
    return _list_page(request, form, status=422)


@require("projects.view")
@require_GET
def project_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Keys, environments and releases; before the first event also how to send one.

    While it waits, the page asks for a part every two seconds: nothing (204) until the event is there.
    """
    project = get_object_or_404(Project, slug=slug)
    if htmx.wants_part(request) and project.first_event_at is None:
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    return _project_page(request, project, KeyForm())


@require("projects.manage")
@require_POST
def create_key(request: HttpRequest, slug: str) -> HttpResponse:
    """One more key for the project."""
    project = get_object_or_404(Project, slug=slug)
    form = KeyForm(request.POST)
    try:
        if form.is_valid():
            services.create_key(project, form.cleaned_data["label"], actor=_viewer(request))
            messages.success(request, "Key created")
            return go_to(request, _url(project))
    except services.CatalogError as problem:
        form.add_error("label", str(problem))
    if htmx.wants_part(request):
        return _part(request, "catalog/_key_form.html", {"project": project, "key_form": form}, form)
    return _project_page(request, project, form, status=422)


@require("projects.manage")
@require_POST
def switch_key(request: HttpRequest, slug: str, key: int, *, active: bool) -> HttpResponse:
    """Let a key's events in or refuse them; each offers the other as its undo."""
    found = get_object_or_404(DsnKey.objects.select_related("project"), pk=key, project__slug=slug)
    services.set_key_active(found, active, actor=_viewer(request))
    text = f"{found.label} lets events in again" if active else f"{found.label} lets no more events in"
    undo = "catalog:disable-key" if active else "catalog:enable-key"
    toasts.undoable(request, text, reverse(undo, args=[slug, found.pk]))
    return go_to(request, _url(found.project))


@require("projects.manage")
@require_http_methods(["GET", "POST"])
def key_limits(request: HttpRequest, slug: str, key: int) -> HttpResponse:
    """Which web pages may send by a key, and how much."""
    found = get_object_or_404(DsnKey.objects.select_related("project"), pk=key, project__slug=slug)
    form = KeyLimitsForm(request.POST) if request.method == "POST" else KeyLimitsForm.of(found)
    try:
        if form.is_valid():
            services.limit_key(found, **form.cleaned_data, actor=_viewer(request))
            messages.success(request, "Limits saved")
            return go_to(request, _url(found.project))
    except services.CatalogError as problem:
        form.add_error("allowed_origins", str(problem))
    focus_first_error(form)
    status = 422 if request.method == "POST" else 200
    words = {"key": found, "project": found.project, "form": form}
    return htmx.render(request, "catalog/key.html", "catalog/_limits_form.html", words, status=status)


def _list_page(request: HttpRequest, form: ProjectForm, *, status: int = 200) -> HttpResponse:
    focus_first_error(form)
    words = {"projects": selectors.projects(), "form": form, "may_manage": can(request.user, "projects.manage")}
    return htmx.render(request, "catalog/list.html", "catalog/_project_form.html", words, status=status)


def _project_page(request: HttpRequest, project: Project, form: KeyForm, *, status: int = 200) -> HttpResponse:
    focus_first_error(form)
    keys = list(selectors.keys_of(project))
    public_url = conf.current().public_url
    words: dict[str, Any] = {
        "project": project,
        "keys": [(key, services.dsn(key, public_url)) for key in keys],
        "environments": selectors.environments_of(project),
        "releases": selectors.recent_releases(project),
        "key_form": form,
        "may_manage": can(request.user, "projects.manage"),
        "onboarding": _onboarding(request, project, keys),
    }
    return htmx.render(request, "catalog/project.html", "catalog/_reports.html", words, status=status)


def _onboarding(request: HttpRequest, project: Project, keys: list[DsnKey]) -> dict[str, Any] | None:
    """The snippet with a key that works; None once the project reported."""
    if project.first_event_at:
        return None
    chosen = snippet(request.GET.get("sdk", ""))
    key = next((key for key in keys if key.is_active), None)
    tabs = [{"label": one.label, "url": f"?sdk={one.key}", "current": one is chosen} for one in SNIPPETS]
    return {
        "tabs": tabs,
        "chosen": chosen,
        "code": chosen.with_dsn(services.dsn(key, conf.current().public_url)) if key else "",
    }


def _part(request: HttpRequest, template: str, words: dict[str, Any], form: forms.Form) -> HttpResponse:
    focus_first_error(form)
    return htmx.render(request, template, template, words, status=422)


def _url(project: Project) -> str:
    return reverse("catalog:project", args=[project.slug])


def _viewer(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # `require` let nobody else in
    return request.user


app_name = "catalog"
urlpatterns = [
    path("projects/", project_list, name="list"),
    path("projects/new/", create_project, name="create"),
    path("projects/<slug:slug>/", project_page, name="project"),
    path("projects/<slug:slug>/keys/", create_key, name="create-key"),
    path("projects/<slug:slug>/keys/<int:key>/", key_limits, name="key"),
    path("projects/<slug:slug>/keys/<int:key>/disable/", switch_key, {"active": False}, name="disable-key"),
    path("projects/<slug:slug>/keys/<int:key>/enable/", switch_key, {"active": True}, name="enable-key"),
]
