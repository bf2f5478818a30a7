"""What was delivered, and what broke since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import absolute
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.models import VOLUME_SLOT_S, Deploy
from daytwo_server.catalog.selectors import Neighbours
from daytwo_server.catalog.services.deploys import RUNS_AT_MOST
from daytwo_server.catalog.web import volume
from daytwo_server.core import clock
from daytwo_server.errors.selectors import since
from daytwo_server.errors.selectors.since import Tally, Window
from daytwo_server.ui import htmx
from daytwo_server.ui.listing import Address, address, refusing_bad_filters

FILTERS = ("project", "environment", "status")
SHOWN = 20
LONGEST = dt.timedelta(hours=24)  # of the time that is compared with that before and with the previous deploy
SLOT = dt.timedelta(seconds=VOLUME_SLOT_S)
TONES = {Deploy.Status.STARTED: "accent", Deploy.Status.SUCCEEDED: "ok", Deploy.Status.FAILED: "major"}


@require("deploys.view")
@require_safe
@refusing_bad_filters("Deploys", views="deploys")
def deploy_list(request: HttpRequest) -> HttpResponse:
    """Deploys with what broke since each: `?q=`, `FILTERS`, `?cursor=`."""
    listing, cursor = _listing(request.GET), request.GET.get("cursor", "")
    page = selectors.deploys(listing.asked, cursor=cursor)
    latest = selectors.deploys(listing.asked, limit=1).rows if cursor else page.rows
    projects = selectors.projects_to_choose()
    words: dict[str, Any] = {
        "rows": _rows(page.rows),
        "here": listing.url(cursor=cursor),
        "news_url": address(reverse("catalog:deploys-news"), **{**listing.params, "mark": _mark(latest)}),
        "topic": services.DEPLOYS_TOPIC,
        "snippet": None if page.rows or listing.params else _snippet(projects),
        "may_make_tokens": can(request.user, "tokens.manage"),
        **_bar(listing, projects),
        **listing.pager(page),
    }
    return render(request, "catalog/deploys.html", words)


@require("deploys.view")
@require_safe
@refusing_bad_filters("Deploys")
def news(request: HttpRequest) -> HttpResponse:
    """A link to the list when a deploy came since it was made, else nothing."""
    listing = _listing(request.GET)
    changed = _mark(selectors.deploys(listing.asked, limit=1).rows) != request.GET.get("mark", "")
    return render(request, "catalog/_deploys_news.html", {"changed": changed, "here": listing.url()})


def _listing(values: QueryDict) -> Address:
    return Address.of(reverse("catalog:deploys"), values, filters=FILTERS, parse=selectors.DEPLOYS.parse)


def _bar(listing: Address, projects: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return listing.bar(
        listing.choice("project", "Project", projects),
        listing.choice("environment", "Environment", [(name, name) for name in selectors.environment_names()]),
        listing.choice("status", "Status", Deploy.Status.choices),
    )


def _mark(latest: list[Deploy]) -> str:
    """What the list's head was when it was made: which deploy, and how far it was."""
    return f"{latest[0].pk}.{latest[0].status}" if latest else ""


def _rows(deploys: list[Deploy]) -> list[dict[str, Any]]:
    """Each with its tally. One query for all."""
    tallies = since.tallies([_window(one) for one in deploys])
    return [
        {**state(one), "deploy": one, "tally": tally, "most": since.MOST}
        for one, tally in zip(deploys, tallies, strict=True)
    ]


def _window(deploy: Deploy) -> Window:
    """From its start until the next deploy of the same environment."""
    return Window(deploy.project_id, deploy.environment.name, deploy.started_at, deploy.superseded_at)  # type: ignore[attr-defined]


def state(deploy: Deploy) -> dict[str, Any]:
    """How it went in a word with a tone, and how long it took (None while it runs)."""
    running = deploy.status == Deploy.Status.STARTED
    lost = running and clock.now() - deploy.started_at > RUNS_AT_MOST
    return {
        "word": "No word since" if lost else deploy.get_status_display(),
        "tone": "" if lost else TONES[Deploy.Status(deploy.status)],
        "running": running and not lost,
        "took": deploy.finished_at - deploy.started_at if deploy.finished_at else None,
    }


@require("deploys.view")
@require_safe
def deploy_page(request: HttpRequest, number: str) -> HttpResponse:
    """Errors that are new or came back since, events before and after, and the deploy before this one."""
    deploy = selectors.deploy(int(number))
    if deploy is None:
        raise Http404
    window, around = _window(deploy), selectors.neighbours(deploy)
    words = {
        **state(deploy),
        "deploy": deploy,
        "around": around,
        "opened": since.opened(window, SHOWN),
        "regressed": since.regressed(window, SHOWN),
        "most": since.MOST,
        "chart": volume.chart(request, deploy),
        **_comparison(deploy, around),
        "errors_url": _errors_url(deploy),
        "topic": services.DEPLOYS_TOPIC,
        "here": request.get_full_path(),
    }
    return htmx.render(request, "catalog/deploy.html", "catalog/_deploy.html", words)


@dataclass(frozen=True)
class Column:
    """What happened in the same length of time; None where it is not known."""

    events: int
    tally: Tally | None


def _comparison(deploy: Deploy, around: Neighbours) -> dict[str, Any]:
    """The whole tally of this deploy, and its first hours beside those before it and those of the previous deploy."""
    previous = around.previous
    span = _span(deploy, previous)
    windows = [_window(deploy), _part(deploy, span)] + ([_part(previous, span)] if previous else [])
    whole, first, *of_previous = since.tallies(windows)
    return {
        "tally": whole,
        "span": span,
        "before": Column(_events(deploy, deploy.started_at - span, span), None),
        "after": Column(_events(deploy, deploy.started_at, span), first),
        "previous": Column(_events(previous, previous.started_at, span), of_previous[0]) if previous else None,
    }


def _span(deploy: Deploy, previous: Deploy | None) -> dt.timedelta:
    """How much of both deploys can be compared: whole five minutes, at most a day."""
    ends = [deploy.superseded_at or clock.now()]  # type: ignore[attr-defined]
    lives = [ends[0] - deploy.started_at] + ([deploy.started_at - previous.started_at] if previous else [])
    return max(SLOT, min(*lives, LONGEST) // SLOT * SLOT)


def _part(deploy: Deploy, span: dt.timedelta) -> Window:
    return Window(deploy.project_id, deploy.environment.name, deploy.started_at, deploy.started_at + span)


def _events(deploy: Deploy, start: dt.datetime, span: dt.timedelta) -> int:
    """Counted in whole five minutes from the one that `start` lies in."""
    aligned = dt.datetime.fromtimestamp(int(start.timestamp()) // VOLUME_SLOT_S * VOLUME_SLOT_S, dt.UTC)
    return selectors.volume(deploy.environment_id, aligned, step=span, steps=1)[0]


def _errors_url(deploy: Deploy) -> str:
    """The list of errors with the newest on top, of this environment."""
    return address(
        reverse("errors:list"),
        status="all",
        project=deploy.project.slug,
        environment=deploy.environment.name,
        release=deploy.release.version,
        sort="first",
    )


def _snippet(projects: Sequence[tuple[str, str]]) -> str:
    """The call that tells of a first deploy, with the address and a project of this installation."""
    project = projects[0][0] if projects else "your-project"
    return (
        f"curl --fail {absolute(reverse('api:record_deploy'))} \\\n"
        '  -H "Authorization: Bearer $DAYTWO_API_TOKEN" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f'  -d \'{{"project": "{project}", "environment": "production", "version": "1.0.0"}}\''
    )
