"""Webhooks among the settings."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import form_page, go_to, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.ui import toasts
from daytwo_server.webhooks import selectors, services, signing
from daytwo_server.webhooks.forms import EndpointForm
from daytwo_server.webhooks.models import Call, Endpoint
from daytwo_server.webhooks.services import WebhookError


@require("webhooks.manage")
@require_safe
def endpoint_list(request: HttpRequest) -> HttpResponse:
    """All of them."""
    return render(request, "webhooks/list.html", {"endpoints": selectors.endpoints()})


@require("webhooks.manage")
@require_safe
def endpoint(request: HttpRequest, endpoint: int) -> HttpResponse:
    """What it is told, and what became of the latest calls."""
    return _page(request, _find(endpoint))


@require("webhooks.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new one, and then its page."""
    form = EndpointForm(request.POST if request.method == "POST" else None)
    try:
        if form.is_valid():
            made = services.create_endpoint(form.words(), actor=viewer(request))
            messages.success(request, f"{made.name} is called from now on")
            return go_to(request, _url(made))
    except WebhookError as problem:
        form.add_error(problem.field, str(problem))
    return form_page(
        request, "webhooks/form.html", form,
        action=reverse("webhooks:create"), back=reverse("webhooks:list"), submit="Add the webhook",
    )  # fmt: skip


@require("webhooks.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, endpoint: int) -> HttpResponse:
    """The same form for one that is there."""
    found = _find(endpoint)
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=EndpointForm.initial_of(found))
    try:
        if form.is_valid():
            services.change_endpoint(found, form.words(), actor=viewer(request))
            messages.success(request, "Saved")
            return go_to(request, _url(found))
    except WebhookError as problem:
        form.add_error(problem.field, str(problem))
    action = reverse("webhooks:edit", args=[found.pk])
    return form_page(
        request, "webhooks/form.html", form, action=action, back=_url(found), submit="Save", endpoint=found
    )


@require("webhooks.manage")
@require_POST
def secret(request: HttpRequest, endpoint: int, *, replace: bool) -> HttpResponse:
    """Show the secret, or have another one first. It is in no other answer."""
    found = _find(endpoint)
    if replace:
        found = services.replace_secret(found, actor=viewer(request))
    return _page(request, found, secret=signing.shown(found), replaced=replace)


@require("webhooks.manage")
@require_POST
def switch(request: HttpRequest, endpoint: int, *, on: bool) -> HttpResponse:
    """Call it or not; each offers the other as its undo."""
    found = _find(endpoint)
    services.switch(found, on=on, actor=viewer(request))
    undo = reverse("webhooks:off" if on else "webhooks:on", args=[found.pk])
    toasts.undoable(request, f"{found.name} is {'called again' if on else 'not called any more'}", undo)
    return go_to(request, _url(found))


@require("webhooks.manage")
@require_POST
def archive(request: HttpRequest, endpoint: int, *, archived: bool) -> HttpResponse:
    """Remove it or bring it back; each offers the other as its undo."""
    found = _find(endpoint, removed=True)
    services.archive_endpoint(found, archived=archived, actor=viewer(request))
    undo = reverse("webhooks:restore" if archived else "webhooks:remove", args=[found.pk])
    toasts.undoable(request, f"{found.name} is {'removed' if archived else 'back'}", undo)
    return go_to(request, reverse("webhooks:list"))


@require("webhooks.manage")
@require_POST
def test(request: HttpRequest, endpoint: int) -> HttpResponse:
    """Call it with a test; how that went stands on its page a moment later."""
    found = _find(endpoint)
    if found.off_at:
        messages.error(request, "It is switched off. Switch it on first.")
    else:
        services.try_out(found)
        messages.success(request, "A test is on its way; reload the page to see what became of it")
    return go_to(request, _url(found))


@require("webhooks.manage")
@require_POST
def again(request: HttpRequest, endpoint: int, call: int) -> HttpResponse:
    """Try one that failed anew."""
    found = _find(endpoint)
    one = Call.objects.filter(endpoint=found, pk=call).first()
    if one is None:
        raise Http404
    if services.call_again(one):
        messages.success(request, "It is sent again")
    else:
        messages.error(request, "It did not fail, or the webhook is off. Reload the page.")
    return go_to(request, _url(found))


def _page(request: HttpRequest, found: Endpoint, *, secret: str = "", replaced: bool = False) -> HttpResponse:
    words = {"endpoint": found, "calls": selectors.calls_of(found), "secret": secret, "replaced": replaced}
    answer = render(request, "webhooks/endpoint.html", words)
    if secret:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _find(endpoint: int, *, removed: bool = False) -> Endpoint:
    found = Endpoint.objects.filter(pk=endpoint).first()
    if found is None or (found.archived_at and not removed):
        raise Http404
    return found


def _url(endpoint: Endpoint) -> str:
    return reverse("webhooks:endpoint", args=[endpoint.pk])


app_name = "webhooks"
urlpatterns = [
    path("settings/webhooks/", endpoint_list, name="list"),
    path("settings/webhooks/new/", create, name="create"),
    path("settings/webhooks/<id:endpoint>/", endpoint, name="endpoint"),
    path("settings/webhooks/<id:endpoint>/edit/", edit, name="edit"),
    path("settings/webhooks/<id:endpoint>/secret/", secret, {"replace": False}, name="secret"),
    path("settings/webhooks/<id:endpoint>/secret/replace/", secret, {"replace": True}, name="replace-secret"),
    path("settings/webhooks/<id:endpoint>/on/", switch, {"on": True}, name="on"),
    path("settings/webhooks/<id:endpoint>/off/", switch, {"on": False}, name="off"),
    path("settings/webhooks/<id:endpoint>/remove/", archive, {"archived": True}, name="remove"),
    path("settings/webhooks/<id:endpoint>/restore/", archive, {"archived": False}, name="restore"),
    path("settings/webhooks/<id:endpoint>/test/", test, name="test"),
    path("settings/webhooks/<id:endpoint>/calls/<id:call>/", again, name="again"),
]
