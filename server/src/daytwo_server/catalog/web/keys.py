"""Pages about the keys of a project."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.catalog import services
from daytwo_server.catalog.forms import KeyForm, KeyLimitsForm, RotateForm
from daytwo_server.catalog.models import DsnKey
from daytwo_server.catalog.web import projects
from daytwo_server.catalog.web.common import blame, find_project, project_url
from daytwo_server.ui import htmx, toasts


@require("projects.manage")
@require_POST
def create_key(request: HttpRequest, slug: str) -> HttpResponse:
    """One more key for the project."""
    project = find_project(slug)
    form = KeyForm(request.POST)
    try:
        if form.is_valid():
            services.create_key(project, form.cleaned_data["label"], actor=viewer(request))
            messages.success(request, "Key created")
            return go_to(request, project_url(project))
    except services.CatalogError as problem:
        blame(form, problem, "label")
    if htmx.wants_part(request):
        focus_first_error(form)
        words = {"project": project, "key_form": form}
        return htmx.render(request, "catalog/_key_form.html", "catalog/_key_form.html", words, status=422)
    return projects.show(request, project, form, status=422)


@require("projects.manage")
@require_POST
def switch_key(request: HttpRequest, slug: str, key: int, *, active: bool) -> HttpResponse:
    """Let a key's events in or refuse them; each offers the other as its undo."""
    found = _find(slug, key)
    services.set_key_active(found, active, actor=viewer(request))
    text = f"{found.label} lets events in again" if active else f"{found.label} lets no more events in"
    undo = "catalog:disable-key" if active else "catalog:enable-key"
    toasts.undoable(request, text, reverse(undo, args=[slug, found.pk]))
    return go_to(request, project_url(found.project))


@require("projects.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def key_limits(request: HttpRequest, slug: str, key: int) -> HttpResponse:
    """Which web pages may send by a key, how much, and until when."""
    found = _find(slug, key)
    form = KeyLimitsForm.of(found, request.POST if request.method == "POST" else None)
    try:
        if form.is_valid():
            _save_limits(found, form, request)
            messages.success(request, "Limits saved")
            return go_to(request, project_url(found.project))
    except services.CatalogError as problem:
        blame(form, problem, "allowed_origins")
    focus_first_error(form)
    status = 422 if request.method == "POST" else 200
    words = {"key": found, "project": found.project, "form": form}
    return htmx.render(request, "catalog/key.html", "catalog/_limits_form.html", words, status=status)


def _save_limits(key: DsnKey, form: KeyLimitsForm, request: HttpRequest) -> None:
    limits = dict(form.cleaned_data)
    ends_at = limits.pop("ends_at")
    with transaction.atomic():
        services.limit_key(key, **limits, actor=viewer(request))
        if "ends_at" in form.changed_data:
            services.end_key(key, ends_at, actor=viewer(request))


@require("projects.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def rotate_key(request: HttpRequest, slug: str, key: int) -> HttpResponse:
    """A new key in place of this one, which works on for a while."""
    old = _find(slug, key)
    form = RotateForm(request.POST) if request.method == "POST" else RotateForm.of(old)
    try:
        if form.is_valid():
            new = services.rotate_key(old, **form.cleaned_data, actor=viewer(request))
            text = "The new key works now; put its DSN into the app"
            toasts.undoable(request, text, reverse("catalog:undo-rotation", args=[slug, new.pk]))
            return go_to(request, project_url(old.project))
    except services.CatalogError as problem:
        blame(form, problem, "label")
    focus_first_error(form)
    status = 422 if request.method == "POST" else 200
    words = {"key": old, "project": old.project, "form": form}
    return htmx.render(request, "catalog/rotate.html", "catalog/_rotate_form.html", words, status=status)


@require("projects.manage")
@require_POST
def undo_rotation(request: HttpRequest, slug: str, key: int) -> HttpResponse:
    """Give the old key back its place and switch the new one off."""
    new = _find(slug, key)
    with toasts.telling(request, services.CatalogError):
        services.undo_rotation(new, actor=viewer(request))
        messages.success(request, "The old key has no end any more, and the new one is off")
    return go_to(request, project_url(new.project))


def _find(slug: str, key: int) -> DsnKey:
    return get_object_or_404(DsnKey.objects.select_related("project", "replaces"), pk=key, project__slug=slug)
