"""The page of a flag in an environment: who gets it, what it answered, what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require
from daytwo_server.core import clock
from daytwo_server.flags import fields, words
from daytwo_server.flags.models import Change, Flag, Ramp, State
from daytwo_server.flags.selectors import detail, history, reach, snapshots
from daytwo_server.flags.selectors import listing as selectors
from daytwo_server.flags.web import snippets, switching, trying
from daytwo_server.flags.web.changes import rows as change_rows
from daytwo_server.flags.web.common import Place, frame, place
from daytwo_server.rollouts import selectors as watching
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.charts import BarChart, Marker, Series

PRESETS = (0, 1, 5, 10, 25, 50, 100)
SHOWN = 5  # changes beside the rules
MARKERS = 5


def flag_page(request: HttpRequest, number: int) -> HttpResponseBase:
    """The page; a POST switches the flag or moves its rollout and shows the page again."""
    return (_change if request.method == "POST" else _show)(request, number)


@require("flags.view")
@require_safe
def _show(request: HttpRequest, number: int) -> HttpResponse:
    return render(request, place(request, number))


@require("flags.change")
def _change(request: HttpRequest, number: int) -> HttpResponseBase:
    found = place(request, number)
    try:
        toast = switching.apply(request, found)
    except switching.NotSaved as problem:
        # What somebody else did stands on the page now, and so does what this person wanted.
        return render(request, place(request, number), status=problem.status, kept=problem.kept)
    return toasts.shown_again(request, toast, lambda again: _show(again, number))


def render(
    request: HttpRequest, found: Place, *, status: int = 200, kept: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The page. `kept` is what was sent and could not be saved, with why."""
    flag, state = found.flag, found.state
    environment = found.environment.pk if found.environment else 0
    latest = history.latest(flag, environment or None, limit=SHOWN + 1)
    context = {
        **frame(request, found),
        **_targeting(flag, state),
        **_rollout(found, kept or {}),
        **(kept or {}),
        "verdict": _verdict(found),
        "tally": detail.tally(state),
        **_ramped(state),
        "changes": change_rows(latest[:SHOWN], found),
        "more_changes": len(latest) > SHOWN,
        "askers": detail.askers(environment, flag.key),
        "topics": [f"flag.{flag.pk}"],
        "here": found.url(),
        "news_url": found.url("news", seen=found.revision),
        **_exposure(found),
        **snippets.words(request, found),
        **trying.words(request, found),
    }
    return htmx.render(request, "flags/flag.html", "flags/_flag.html", context, status=status)


def _verdict(found: Place) -> selectors.Verdict | None:
    if found.flag.archived_at:
        return None
    states = [one.state for one in found.everywhere if one.state]
    asked = [one.last_asked_at for one in states if one.last_asked_at]
    return selectors.verdict(
        found.flag,
        changed=max([one.changed_at for one in states], default=found.flag.created_at),
        asked=max(asked, default=None),
        answered=selectors.answers([found.flag])[found.flag.pk],
        now=clock.now(),
    )


# ---- Who gets it ----


def _targeting(flag: Flag, state: State | None) -> dict[str, Any]:
    definition = state.definition if state else {}
    rules = definition.get("rules") or []
    split = words.weights(fields.split_of(definition.get("split") or [], flag.variants))
    on = split or flag.default_variant or "on"
    return {
        "is_on": bool(state and state.enabled and not state.killed),
        "plans": definition.get("allowedPlans") or [],
        "users": definition.get("allowedUsers") or [],
        "prerequisites": definition.get("prerequisites") or [],
        "split": split,
        "variants": [(one["name"], words.value(one.get("value"))) for one in flag.variants],
        "rules": [_rule(one, number, len(rules), flag, on) for number, one in enumerate(rules, 1)],
        "rollout_order": len(rules) + 1,
        "by": words.whom(definition.get("bucketBy")),
        "on_variant": on,
    }


def _rule(rule: Mapping[str, Any], number: int, of: int, flag: Flag, on: str) -> dict[str, Any]:
    """`on` is what the flag serves where the rule names nothing."""
    serves = words.served(rule) or on
    within = rule.get("rolloutPercentage")
    return {
        "number": number,
        "name": rule.get("name") or "",
        "clauses": [words.clause(one) for one in rule.get("conditions") or []],
        "serves": serves.capitalize() if flag.type == "boolean" else serves,
        "tone": "" if serves == (flag.off_variant or "off") else "ok",
        "within": words.share(within) if within is not None else "",
        "first": number == 1,
        "last": number == of,
    }


def _rollout(found: Place, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The slider, and whom each of its places reaches."""
    state = found.state
    saved = 100.0 if state is None or state.rollout is None else state.rollout / 1000
    shown = kept.get("rollout", saved)
    context = {
        "rollout": f"{shown:g}" if isinstance(shown, float) else shown,
        "saved_rollout": f"{saved:g}",
        "presets": PRESETS,
    }
    if found.environment is None or state is None or found.flag.archived_at:
        return context
    known = reach.reach(snapshots.ruleset_of(found.environment.pk, found.flag.key), found.flag.key)
    if not known.total:
        return context
    customers, organizations = known.at(saved)
    return {
        **context,
        "reach": known,
        "reached": customers,
        "reached_of": organizations,
        "curves": json.dumps([known.curve, known.curve_of], separators=(",", ":")),
    }


# ---- What it answered ----


def _exposure(found: Place) -> dict[str, Any]:
    if found.environment is None:
        return {"exposure": None}
    told = detail.exposure(found.environment.pk, found.flag.key)
    if not told.total:
        return {"exposure": None}
    on = sum(told.on)
    chart = BarChart(
        series=[Series(told.on, "1", "On"), Series(told.off, "muted", "Off")],
        label=f"{told.total:,} evaluations in 7 days, {on:,} of them on",
        markers=_markers(found, told),
        ticks=_ticks(told),
        titles=_titles(told),
    )
    return {"exposure": told, "exposure_on": on, "chart": chart}


def _markers(found: Place, told: detail.Exposure) -> list[Marker]:
    assert found.environment is not None
    markers = [
        Marker(told.position(one.at), _marker(one))
        for one in detail.rollouts(found.flag, found.environment.pk, told.start)
    ]
    return markers[-MARKERS:]


def _marker(change: Change) -> str:
    after = change.after
    if after.get("killed"):
        return "killed"
    if "rolloutPercentage" in after:
        return words.share(after["rolloutPercentage"])
    return "on" if after.get("enabled") else "off"


def _ticks(told: detail.Exposure) -> list[tuple[float, str]]:
    per_day = len(told.on) // 7
    days = [(day * per_day, timezone.localtime(told.start + told.step * day * per_day)) for day in range(7)]
    return [*((float(at), f"{moment:%a}") for at, moment in days), (float(len(told.on)), "now")]


def _titles(told: detail.Exposure) -> list[str]:
    return [
        f"{on:,} on and {off:,} off from {timezone.localtime(told.start + told.step * index):%a %H:%M}"
        for index, (on, off) in enumerate(zip(told.on, told.off, strict=True))
    ]


# ---- Its ramp ----


def _ramped(state: State | None) -> dict[str, Any]:
    """Its latest ramp, and how the guard sees it."""
    ramp = detail.ramp(state)
    return {"ramp": _ramp(ramp), "watch": watching.of_state(state, ramp) if state else None}


def _ramp(ramp: Ramp | None) -> dict[str, Any] | None:
    """The latest ramp with each of its steps, and which of them are done."""
    if ramp is None:
        return None
    runs = ramp.status in (Ramp.Status.RUNNING, Ramp.Status.HELD)
    return {
        "ramp": ramp,
        "runs": runs,
        "held": ramp.status == Ramp.Status.HELD,
        "steps": [
            {
                "percent": words.share(step["percent"]),
                "hold": step.get("holdSeconds") or 0,
                "done": number < ramp.step or ramp.status == Ramp.Status.DONE,
                "current": runs and number == ramp.step,
            }
            for number, step in enumerate(ramp.steps)
        ],
    }
