"""Components: the list, one component, and the form for both."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import form_page, go_to, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.forms import ComponentForm
from daytwo_server.catalog.models import Component
from daytwo_server.catalog.services import ComponentWords
from daytwo_server.catalog.web.common import blame
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, all_of, archive_tabs, refusing_bad_filters


@require("components.view")
@require_safe
@refusing_bad_filters("Components")
def component_list(request: HttpRequest) -> HttpResponse:
    """The components in use; `?archived=1` shows the others; `?q=`, `?cursor=`."""
    parse, cursor = selectors.COMPONENTS.parse, request.GET.get("cursor", "")
    listing = Address.of(reverse("catalog:components"), request.GET, more=("archived",), parse=parse)
    archived = listing.get("archived") == "1"
    page = selectors.components(listing.asked, archived=archived, me=viewer(request).email, cursor=cursor)
    words = {
        "components": page.rows,
        "archived": archived,
        "here": listing.url(cursor=cursor),
        "tabs": archive_tabs(listing, archived=archived),
        "may_manage": can(request.user, "components.manage"),
        "topic": services.COMPONENTS_TOPIC,
        **listing.bar(rows=all_of(page)),
        **listing.pager(page),
    }
    return htmx.render(request, "catalog/components.html", "catalog/_components.html", words)


@require("components.view")
@require_safe
def component_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What it is, who owns it, and what reports for it."""
    words = {"component": _find(slug), "may_manage": can(request.user, "components.manage")}
    return render(request, "catalog/component.html", words)


@require("components.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def create_component(request: HttpRequest) -> HttpResponse:
    """A new component, and then its page."""
    form = _form(request)
    try:
        if form.is_valid():
            component = services.create_component(_words(form), actor=viewer(request))
            messages.success(request, "Component created")
            return go_to(request, reverse("catalog:component", args=[component.slug]))
    except services.CatalogError as problem:
        blame(form, problem, "name")
    return _form_page(request, form, None)


@require("components.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def edit_component(request: HttpRequest, slug: str) -> HttpResponse:
    """The same form for one that is there."""
    component = _find(slug)
    form = _form(request, component)
    try:
        if form.is_valid():
            services.change_component(component, _words(form), actor=viewer(request))
            messages.success(request, "Saved")
            return go_to(request, reverse("catalog:component", args=[slug]))
    except services.CatalogError as problem:
        blame(form, problem, "name")
    return _form_page(request, form, component)


@require("components.manage")
@require_POST
def archive(request: HttpRequest, slug: str, *, archived: bool) -> HttpResponse:
    """Put a component away or bring it back; each offers the other as its undo."""
    component = _find(slug)
    (services.archive_component if archived else services.restore_component)(component, actor=viewer(request))
    text = f"{component.name} is archived" if archived else f"{component.name} is back"
    undo = "catalog:restore-component" if archived else "catalog:archive-component"
    toasts.undoable(request, text, reverse(undo, args=[slug]))
    return go_to(request, reverse("catalog:component", args=[slug]))


def _find(slug: str) -> Component:
    component = selectors.component(slug)
    if component is None:
        raise Http404
    return component


def _form(request: HttpRequest, component: Component | None = None) -> ComponentForm:
    choices = selectors.projects_to_choose()
    if component and component.project and component.project.archived_at:  # what is chosen can stay so
        choices.append((component.project.slug, component.project.name))
    return ComponentForm(
        request.POST if request.method == "POST" else None,
        initial=ComponentForm.initial_of(component) if component else None,
        projects=choices,
    )


def _words(form: ComponentForm) -> ComponentWords:
    said = form.cleaned_data
    return ComponentWords(
        name=said["name"],
        description=said["description"],
        project=selectors.project_by_slug(said["project"]) if said["project"] else None,
        team=said["team"],
        owners=said["owners"],
    )


def _form_page(request: HttpRequest, form: ComponentForm, component: Component | None) -> HttpResponse:
    back = reverse("catalog:component", args=[component.slug]) if component else reverse("catalog:components")
    submit = "Save" if component else "Create component"
    page = "catalog/component_form.html"
    return form_page(request, page, form, action=request.path, back=back, submit=submit, component=component)
