"""The releases of a project, and one release."""

from __future__ import annotations

import urllib.parse

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors
from daytwo_server.catalog.web.common import find_project, refused, tabs
from daytwo_server.core.pages import BadCursor
from daytwo_server.errors.selectors import since

SHOWN = 20


@require("projects.view")
@require_safe
def release_list(request: HttpRequest, slug: str) -> HttpResponse:
    """What reported last, with the errors that each brought."""
    project = find_project(slug)
    try:
        page = selectors.releases_of(project, cursor=request.GET.get("cursor", ""))
    except BadCursor as problem:
        return refused(request, problem, title="Releases", back=request.path)
    opened = since.opened_by_release(project.pk, [release.version for release in page.rows])
    words = {
        "project": project,
        "rows": [(release, opened.get(release.version, 0)) for release in page.rows],
        "newer": f"{request.path}?cursor={page.previous}" if page.previous else "",
        "older": f"{request.path}?cursor={page.next}" if page.next else "",
        "left_out": [one for one in selectors.left_out(project) if one.kind == "release"],
        "tabs": tabs(project, "releases", may_manage=can(request.user, "projects.manage")),
    }
    return render(request, "catalog/releases.html", words)


@require("projects.view")
@require_safe
def release_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """When it was seen, where it was deployed, and which errors came with it."""
    project = find_project(slug)
    release = selectors.release(project, number) if number < 2**63 else None
    if release is None:
        raise Http404
    opened = since.opened_in_release(project.pk, release.version, SHOWN)
    total = since.opened_by_release(project.pk, [release.version]).get(release.version, 0)
    query = urllib.parse.urlencode({"status": "all", "project": project.slug, "release": release.version})
    words = {
        "project": project,
        "release": release,
        "opened": opened,
        "opened_total": total,
        "regressed": since.regressed_in_release(
            project.pk, release.version, first_seen=release.first_seen, last_seen=release.last_seen, limit=SHOWN
        ),
        "deploys": list(selectors.deploys_of(release)),
        "errors_url": f"{reverse('errors:list')}?{query}",
    }
    return render(request, "catalog/release.html", words)
