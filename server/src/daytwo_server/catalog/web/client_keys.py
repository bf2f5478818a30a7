"""Pages about client keys, by which browsers and phones ask for flags."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.forms import ClientKeyForm, ClientKeyOriginsForm
from daytwo_server.catalog.models import ClientKey, Project
from daytwo_server.catalog.web.common import blame, find_project, tabs
from daytwo_server.ui import htmx, toasts


@require("projects.view")
@require_safe
def client_keys(request: HttpRequest, slug: str) -> HttpResponse:
    """The client keys of all environments."""
    return _page(request, find_project(slug))


@require("projects.manage")
@require_POST
def create_client_key(request: HttpRequest, slug: str) -> HttpResponse:
    """One more."""
    project = find_project(slug)
    form = ClientKeyForm.of(project, request.POST)
    try:
        if form.is_valid():
            services.create_client_key(**form.cleaned_data, actor=viewer(request))
            messages.success(request, "Client key created")
            return go_to(request, _url(project))
    except services.CatalogError as problem:
        blame(form, problem, "allowed_origins")
    focus_first_error(form)
    return _page(request, project, form=form, status=422)


@require("projects.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def client_key(request: HttpRequest, slug: str, key: int) -> HttpResponse:
    """From which web pages a key may be used."""
    found = _find(slug, key)
    project = found.environment.project
    form = ClientKeyOriginsForm.of(found, request.POST if request.method == "POST" else None)
    try:
        if form.is_valid():
            services.limit_client_key(found, **form.cleaned_data, actor=viewer(request))
            messages.success(request, "Web pages saved")
            return go_to(request, _url(project))
    except services.CatalogError as problem:
        blame(form, problem, "allowed_origins")
    focus_first_error(form)
    status = 422 if request.method == "POST" else 200
    words = {"key": found, "project": project, "form": form}
    return htmx.render(request, "catalog/client_key.html", "catalog/_client_key_form.html", words, status=status)


@require("projects.manage")
@require_POST
def switch_client_key(request: HttpRequest, slug: str, key: int, *, revoked: bool) -> HttpResponse:
    """Refuse a key or let it in again; each offers the other as its undo."""
    found = _find(slug, key)
    change = services.revoke_client_key if revoked else services.restore_client_key
    change(found, actor=viewer(request))
    undo = "catalog:restore-client-key" if revoked else "catalog:revoke-client-key"
    text = f"{found.public_key[:12]}… {'is refused from now on' if revoked else 'works again'}"
    toasts.undoable(request, text, reverse(undo, args=[slug, found.pk]))
    return go_to(request, _url(found.environment.project))


def _page(
    request: HttpRequest, project: Project, *, form: ClientKeyForm | None = None, status: int = 200
) -> HttpResponse:
    words = {
        "project": project,
        "keys": selectors.client_keys(project),
        "form": form or ClientKeyForm.of(project),
        "may_manage": can(request.user, "projects.manage"),
        "tabs": tabs(project, "client-keys", request.user),
    }
    return render(request, "catalog/client_keys.html", words, status=status)


def _find(slug: str, key: int) -> ClientKey:
    return get_object_or_404(
        ClientKey.objects.select_related("environment__project"), pk=key, environment__project__slug=slug
    )


def _url(project: Project) -> str:
    return reverse("catalog:client-keys", args=[project.slug])
