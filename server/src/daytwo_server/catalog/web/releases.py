"""The releases of a project, and one release."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require
from daytwo_server.catalog import selectors
from daytwo_server.catalog.web.common import find_project, tabs
from daytwo_server.errors.selectors import since
from daytwo_server.ui.listing import Address, address, all_of, refusing_bad_filters

SHOWN = 20


@require("projects.view")
@require_safe
@refusing_bad_filters("Releases")
def release_list(request: HttpRequest, slug: str) -> HttpResponse:
    """What reported last, with the errors that each brought: `?q=`, `?cursor=`."""
    project = find_project(slug)
    listing = Address.of(request.path, request.GET, parse=selectors.RELEASES.parse)
    page = selectors.releases_of(project, listing.asked, cursor=request.GET.get("cursor", ""))
    opened = since.opened_by_release(project.pk, [release.version for release in page.rows])
    words = {
        "project": project,
        "rows": [(release, opened.get(release.version, 0)) for release in page.rows],
        "left_out": [one for one in selectors.left_out(project) if one.kind == "release"],
        "tabs": tabs(project, "releases", request.user),
        **listing.bar(rows=all_of(page)),
        **listing.pager(page),
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
    words = {
        "project": project,
        "release": release,
        "opened": opened,
        "opened_total": total,
        "regressed": since.regressed_in_release(
            project.pk, release.version, first_seen=release.first_seen, last_seen=release.last_seen, limit=SHOWN
        ),
        "deploys": list(selectors.deploys_of(release)),
        "errors_url": address(reverse("errors:list"), status="all", project=project.slug, release=release.version),
    }
    return render(request, "catalog/release.html", words)
