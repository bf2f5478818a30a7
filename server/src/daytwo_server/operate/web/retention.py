"""Beside the settings of retention: how much of each kind there is, and what a shorter time would remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core import audit, conf, retention
from daytwo_server.core.models import Holding
from daytwo_server.core.retention import Kind

next_run = retention.next_run


@dataclass(frozen=True)
class Doomed:
    """What goes at the next run if a kind is kept for `days` only."""

    kind: Kind
    days: int
    rows: int

    @property
    def noun(self) -> str:
        return self.kind.noun if self.rows == 1 else self.kind.nouns


def words(request: HttpRequest) -> dict[str, Any]:
    """Every kind with what is known of it."""
    known = Holding.objects.in_bulk()
    kinds = [
        {"kind": kind, "days": retention.days_of(kind), "held": known.get(kind.name)} for kind in retention.kinds()
    ]
    return {
        "kinds": kinds,
        "total": sum(held.bytes for held in known.values()),
        "measured": any(held.measured_at for held in known.values()),
        "running": any(held.started_at and not held.finished_at for held in known.values()),
        "planned": retention.next_run(),
        "may_manage": can(request.user, "settings.manage"),
        "topic": retention.TOPIC,
    }


def doomed(wanted: Mapping[str, str], *, confirmed: str) -> Sequence[Doomed]:
    """What these changes would remove, unless just that was confirmed. It cannot be undone, so it is asked about."""
    found = [
        one for kind in retention.kinds() if kind.setting in wanted and (one := _doomed(kind, wanted[kind.setting]))
    ]
    return () if signature(found) == confirmed else found


def _doomed(kind: Kind, text: str) -> Doomed | None:
    """None where nothing is removed that would not be removed anyway."""
    try:
        days = int(conf.fields()[kind.setting].metadata["parse"](text) if text else conf.default_of(kind.setting))
    except conf.BadValue:  # refused in words when it is saved
        return None
    now = retention.days_of(kind)
    if days >= now:
        return None
    rows = kind.count_expired(retention.keep_newer_than(days)) - kind.count_expired(retention.keep_newer_than(now))
    return Doomed(kind, days, rows) if rows > 0 else None


def signature(found: Sequence[Doomed]) -> str:
    """Names what somebody confirms: another number of days has to be confirmed anew."""
    return ",".join(f"{one.kind.name}:{one.days}" for one in found)


def run(request: HttpRequest) -> HttpResponseBase:
    """The figures, for the page to show anew; a POST begins a run."""
    return (_begin if request.method == "POST" else _figures)(request)


@require("settings.view")
@require_safe
def _figures(request: HttpRequest) -> HttpResponse:
    return render(request, "operate/_kinds.html", words(request))


@require("settings.manage")
@require_POST
def _begin(request: HttpRequest) -> HttpResponse:
    retention.run_now()
    audit.record("operate:retention:started", actor=viewer(request))  # its result stands on the page
    messages.success(request, "The run begins")
    return redirect(reverse("operate:settings-retention"))
