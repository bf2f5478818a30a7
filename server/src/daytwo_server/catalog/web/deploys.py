"""What was delivered, and what broke since."""

from __future__ import annotations

import datetime as dt
import urllib.parse
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
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
from daytwo_server.catalog.web.common import refused
from daytwo_server.core import clock
from daytwo_server.core.pages import BadCursor, Page
from daytwo_server.core.query import BadFilter
from daytwo_server.errors.selectors import since
from daytwo_server.errors.selectors.since import Tally, Window
from daytwo_server.ui import htmx

FILTERS = ("project", "environment", "status")
PAGE = 50
SHOWN = 20
LONGEST = dt.timedelta(hours=24)  # of the time that is compared with that before and with the previous deploy
SLOT = dt.timedelta(seconds=VOLUME_SLOT_S)
TONES = {Deploy.Status.STARTED: "accent", Deploy.Status.SUCCEEDED: "ok", Deploy.Status.FAILED: "major"}


@require("deploys.view")
@require_safe
def deploy_list(request: HttpRequest) -> HttpResponse:
    """Deploys with what broke since each; the filters stand in the address."""
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    try:
        page = _found(chosen, cursor=request.GET.get("cursor", ""))
    except (BadFilter, BadCursor) as problem:
        return refused(request, problem, title="Deploys", back=reverse("catalog:deploys"))
    latest = _found(chosen, limit=1).rows if request.GET.get("cursor") else page.rows
    choices = _choices(chosen)
    words: dict[str, Any] = {
        "rows": _rows(page.rows),
        "choices": choices,
        "chips": _chips(chosen),
        "newer": _url(chosen, cursor=page.previous) if page.previous else "",
        "older": _url(chosen, cursor=page.next) if page.next else "",
        "here": _url(chosen),
        "news_url": f"{reverse('catalog:deploys-news')}?{urllib.parse.urlencode(chosen | _mark(latest))}",
        "topic": services.DEPLOYS_TOPIC,
        "snippet": None if page.rows or any(chosen.values()) else _snippet(choices),
        "may_make_tokens": can(request.user, "tokens.manage"),
    }
    return render(request, "catalog/deploys.html", words)


@require("deploys.view")
@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """A link to the list when a deploy came since it was made, else nothing."""
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    try:
        latest = _found(chosen, limit=1).rows
    except BadFilter as problem:
        return HttpResponse(str(problem), status=400, content_type="text/plain")
    changed = _mark(latest) != {name: request.GET.get(name, "") for name in ("mark",)}
    return render(request, "catalog/_deploys_news.html", {"changed": changed, "here": _url(chosen)})


def _found(chosen: dict[str, str], *, cursor: str = "", limit: int = PAGE) -> Page[Deploy]:
    """Raises `BadFilter`, `BadCursor`."""
    return selectors.deploys(
        project=chosen["project"],
        environment=chosen["environment"],
        status=chosen["status"],
        cursor=cursor,
        limit=limit,
    )


def _mark(latest: list[Deploy]) -> dict[str, str]:
    """What the list's head was when it was made: which deploy, and how far it was."""
    return {"mark": f"{latest[0].pk}.{latest[0].status}" if latest else ""}


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
    query = {
        "status": "all",
        "project": deploy.project.slug,
        "environment": deploy.environment.name,
        "release": deploy.release.version,
        "sort": "first",
    }
    return f"{reverse('errors:list')}?{urllib.parse.urlencode(query)}"


def _choices(chosen: dict[str, str]) -> list[dict[str, Any]]:
    """The filters: name, label, options as (value, words), and what is chosen."""
    options = {
        "project": ("Project", selectors.projects_to_choose()),
        "environment": ("Environment", [(name, name) for name in selectors.environment_names()]),
        "status": ("Status", list(Deploy.Status.choices)),
    }
    return [
        {"name": name, "label": label, "options": values, "chosen": chosen[name]}
        for name, (label, values) in options.items()
    ]


def _chips(chosen: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"name": name, "verb": "is", "value": value, "url": _url({**chosen, name: ""})}
        for name, value in chosen.items()
        if value
    ]


def _url(chosen: dict[str, str], **more: str) -> str:
    given = {name: value for name, value in {**chosen, **more}.items() if value}
    return f"{reverse('catalog:deploys')}?{urllib.parse.urlencode(given)}" if given else reverse("catalog:deploys")


def _snippet(choices: list[dict[str, Any]]) -> str:
    """The call that tells of a first deploy, with the address and a project of this installation."""
    project = choices[0]["options"][0][0] if choices[0]["options"] else "your-project"
    return (
        f"curl --fail {absolute(reverse('api:record_deploy'))} \\\n"
        '  -H "Authorization: Bearer $DAYTWO_API_TOKEN" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f'  -d \'{{"project": "{project}", "environment": "production", "version": "1.0.0"}}\''
    )
