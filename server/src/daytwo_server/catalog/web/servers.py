"""What a project's own servers hold: the server keys of its environments, and its identity secret."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.forms import ServerKeyForm
from daytwo_server.catalog.models import Project, ServerKey
from daytwo_server.catalog.web.common import find_project, tabs
from daytwo_server.ui import toasts


@require("projects.secrets")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def servers(request: HttpRequest, slug: str) -> HttpResponse:
    """The keys, and the one moment in which a new one is shown. A POST with `environment` makes one, one with
    `do=show` shows the identity secret.
    """
    project = find_project(slug)
    if request.method != "POST":
        return _page(request, project)
    # Shown in the answer itself: a redirect would have to keep the secret somewhere until the next request.
    if request.POST.get("do") == "show":
        return _page(request, project, identity=services.tell_identity_secret(project, actor=viewer(request)))
    form = ServerKeyForm.of(project, request.POST)
    if not form.is_valid():
        focus_first_error(form)
        return _page(request, project, form=form, status=422)
    return _page(
        request, project, raw=services.create_server_key(form.cleaned_data["environment"], actor=viewer(request))
    )


@require("projects.secrets")
@require_POST
def switch_server_key(request: HttpRequest, slug: str, key: int, *, revoked: bool) -> HttpResponse:
    """Refuse a key or let it in again; each offers the other as its undo."""
    found = get_object_or_404(ServerKey.objects.select_related("environment"), pk=key, environment__project__slug=slug)
    change = services.revoke_server_key if revoked else services.restore_server_key
    change(found, actor=viewer(request))
    undo = "catalog:restore-server-key" if revoked else "catalog:revoke-server-key"
    text = f"dts_{found.prefix}_… {'is refused from now on' if revoked else 'works again'}"
    toasts.undoable(request, text, reverse(undo, args=[slug, found.pk]))
    return go_to(request, reverse("catalog:servers", args=[slug]))


@require("projects.secrets")
@require_POST
def replace_identity(request: HttpRequest, slug: str) -> HttpResponse:
    """A new identity secret, or with `do=end` no more tokens of the one before."""
    project = find_project(slug)
    if request.POST.get("do") == "end":
        services.end_identity_overlap(project, actor=viewer(request))
        messages.success(request, "Only tokens of the present identity secret are believed now")
    else:
        services.replace_identity_secret(project, actor=viewer(request))
        messages.success(request, "There is a new identity secret. Put it into your servers within seven days")
    return go_to(request, reverse("catalog:servers", args=[slug]))


def _page(
    request: HttpRequest, project: Project, *, form: ServerKeyForm | None = None, raw: str = "", identity: str = "",
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    words = {
        "project": project,
        "keys": selectors.server_keys(project),
        "form": form or ServerKeyForm.of(project),
        "raw": raw,
        "identity": identity,
        "overlaps": services.identity_overlaps(project),
        "tabs": tabs(project, "servers", request.user),
    }
    return render(request, "catalog/servers.html", words, status=status)
