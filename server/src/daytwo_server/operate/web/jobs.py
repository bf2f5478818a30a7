"""Jobs: what waits, runs and failed for good, and what runs by the clock."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from cronsim import CronSim
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core import clock, jobs, paths
from daytwo_server.core.jobs import selectors
from daytwo_server.core.jobs.queue import TOPIC
from daytwo_server.core.jobs.registry import Schedule
from daytwo_server.core.models import Job
from daytwo_server.core.query import BadFilter
from daytwo_server.operate import selectors as lists
from daytwo_server.operate import services
from daytwo_server.operate.web import words
from daytwo_server.ui import formats, htmx, toasts
from daytwo_server.ui.listing import BOX, Address, address, refusing_bad_filters
from daytwo_server.ui.toasts import Toast

LIVE_TOPIC = TOPIC
# What a state is called in the address and on its tab; the first one is shown when the address says nothing.
STATES = {
    "dead": (Job.State.DEAD, "Dead letters"),
    "waiting": (Job.State.READY, "Waiting"),
    "running": (Job.State.LEASED, "Running"),
    "discarded": (Job.State.DISCARDED, "Discarded"),
}
_NAMES = {state: name for name, (state, _) in STATES.items()}
_DONE = {"retry": "put back in line", "hurry": "put first in line", "discard": "discarded", "restore": "put back"}
_VERBS_OF = {"dead": ("retry", "discard"), "waiting": ("hurry",), "running": (), "discarded": ("restore",)}


def job_list(request: HttpRequest) -> HttpResponseBase:
    """The jobs of one state; a POST does something to those that are ticked and shows the list again."""
    return (_change if request.method == "POST" else _show)(request)


@require("operate.view")
@require_safe
@refusing_bad_filters(views="jobs")
def _show(request: HttpRequest) -> HttpResponse:
    """`?state=`, `?q=`, `?kind=`, `?cursor=`."""
    parse = lists.JOBS.parse
    listing = Address.of(reverse("operate:jobs"), request.GET, filters=("kind",), more=("state",), parse=parse)
    name = listing.get("state") or "dead"
    if name not in STATES:
        raise BadFilter("state", f"There is no state {name}; there are {', '.join(STATES)}.")
    return htmx.render(request, "operate/jobs.html", "operate/_jobs.html", _words(request, listing, name))


def _words(request: HttpRequest, listing: Address, name: str) -> dict[str, Any]:
    state, _ = STATES[name]
    kind, cursor = listing.get("kind"), request.GET.get("cursor", "")
    page = lists.jobs(state, listing.asked, cursor=cursor)
    if cursor and not page.rows:  # everything on the last page was dealt with
        page = lists.jobs(state, listing.asked)
    kinds = selectors.kinds(state)
    may_manage = can(request.user, "jobs.manage")
    # `services.change_every` knows kinds and no other search.
    several = bool(page.next or page.previous) and not listing.typed
    return {
        **_counts(name),
        "state": name,
        "here": listing.url(cursor=cursor),
        "rows": [{"job": job, "title": words.job(job), "purpose": selectors.purpose(job.kind)} for job in page.rows],
        "verbs": _VERBS_OF[name] if may_manage else (),
        "all_kinds": listing.url(kind=None, q=None),
        # What "all that match" means: those that had ended when the list was shown.
        "every": clock.now().isoformat() if several else "",
        "total": kinds.get(kind, 0) if kind else sum(kinds.values()),
        **listing.bar(
            listing.choice("kind", "Kind", [(one, f"{one} ({formats.grouped(n)})") for one, n in kinds.items()]),
            rows=None if kinds else (),
        ),
        **listing.pager(page),
    }


def _counts(name: str) -> dict[str, Any]:
    stats = jobs.stats()
    counted = {"dead": stats.dead, "waiting": stats.ready, "running": stats.leased, "discarded": stats.discarded}
    tabs = [
        {
            "label": label,
            "url": address(reverse("operate:jobs"), state=one if one != "dead" else None),
            "count": formats.compact(counted[one]),
            "current": one == name,
        }
        for one, (_, label) in STATES.items()
    ]
    tabs.append({"label": "By the clock", "url": reverse("operate:periodic"), "current": name == "periodic"})
    return {"stats": stats, "tabs": tabs, "counts_url": f"{reverse('operate:job-counts')}?state={name}"}


@require("operate.view")
@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """The figures above the list, for pages that hear that dead letters came or went."""
    return render(request, "operate/_job_counts.html", _counts(request.GET.get("state", "")))


@require("jobs.manage")
def _change(request: HttpRequest) -> HttpResponseBase:
    verb, _, one = request.POST.get("do", "").partition(":")
    if "every" in request.POST and not one:
        toast = _do_every(request, verb)
    else:
        toast = _do(request, verb, paths.numbers([one] if one else request.POST.getlist("job")))
    return toasts.shown_again(request, toast, _show)


def _do(request: HttpRequest, verb: str, numbers: Sequence[int]) -> Toast:
    if verb not in services.VERBS:
        return Toast("This page does not know what to do. Reload it and try again.", "error")
    if not numbers:
        return Toast("Nothing is selected. Tick the jobs first.", "error")
    changed = services.change_jobs(verb, numbers, actor=viewer(request))
    if not changed:
        return Toast("Nothing was changed: somebody, or the queue, was faster.")
    text = f"{len(changed)} job{'' if len(changed) == 1 else 's'} {_DONE[verb]}"
    if verb != "discard":
        return Toast(text)
    return Toast(text, undo=f"{reverse('operate:restore-jobs')}?jobs={'.'.join(map(str, changed))}")


def _do_every(request: HttpRequest, verb: str) -> Toast:
    """Do it to all that the list stands for, in the background."""
    if request.GET.get(BOX):  # the page offers this for whole kinds only
        return Toast("A search cannot be meant as a whole: take it away, or tick the jobs.", "error")
    try:
        until = dt.datetime.fromisoformat(request.POST["every"])
        count = services.change_every(verb, kind=request.GET.get("kind", ""), until=until, actor=viewer(request))
    except (ValueError, KeyError):
        return Toast("This page does not know what to do. Reload it and try again.", "error")
    return Toast(f"{count:,} job{'' if count == 1 else 's'} are being {_DONE[verb]}")


@require("jobs.manage")
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Undo: the discarded jobs in `?jobs=` are dead letters again."""
    named = paths.numbers(request.GET.get("jobs", "").split("."))
    restored = services.change_jobs("restore", named, actor=viewer(request))
    if restored:
        messages.success(request, f"{len(restored)} job{'' if len(restored) == 1 else 's'} put back")
    else:
        messages.error(request, "Nothing was put back: it was not discarded, or is not kept any more.")
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("operate:jobs")))


def job(request: HttpRequest, number: int) -> HttpResponseBase:
    """One job; a POST does something to it."""
    return (_change_one if request.method == "POST" else _show_one)(request, number)


@require("operate.view")
@require_safe
def _show_one(request: HttpRequest, number: int) -> HttpResponse:
    found = selectors.job(number)
    if found is None:
        raise Http404
    name = _NAMES[Job.State(found.state)]
    shown = {
        "job": found,
        "title": words.job(found),
        "purpose": selectors.purpose(found.kind),
        "state": name,
        "state_label": STATES[name][1],
        "args": json.dumps(selectors.shown_args(found), indent=2, ensure_ascii=False),
        "late": found.state == Job.State.READY and found.run_at <= clock.now(),
        "fact": words.fact_of(found),
        "verbs": _VERBS_OF[name] if can(request.user, "jobs.manage") else (),
    }
    return render(request, "operate/job.html", shown)


@require("jobs.manage")
def _change_one(request: HttpRequest, number: int) -> HttpResponse:
    toasts.say(request, _do(request, request.POST.get("do", ""), [number]))
    # A retried job may be done, and so gone, by the time the page is there again.
    return redirect("operate:jobs")


def periodic(request: HttpRequest) -> HttpResponseBase:
    """What runs by the clock; a POST runs one of them now."""
    return (_run_now if request.method == "POST" else _show_periodic)(request)


@require("operate.view")
@require_safe
def _show_periodic(request: HttpRequest) -> HttpResponse:
    rows = [
        {"job": one, "schedule": schedule_words(one.schedule), "purpose": selectors.purpose(one.kind)}
        for one in selectors.recurring()
    ]
    shown = {**_counts("periodic"), "rows": rows, "may_manage": can(request.user, "jobs.manage")}
    return render(request, "operate/periodic.html", shown)


@require("jobs.manage")
@require_http_methods(["POST"])
def _run_now(request: HttpRequest) -> HttpResponse:
    with toasts.telling(request, jobs.UnknownKind):
        services.run_now(request.POST.get("kind", ""), actor=viewer(request))
        messages.success(request, f"{request.POST['kind']} runs now")
    return redirect("operate:periodic")


def schedule_words(schedule: Schedule) -> str:
    """When a periodic job runs, in words."""
    if isinstance(schedule, dt.timedelta):
        return f"every {formats.duration(schedule)}"
    if " " not in schedule:  # of a version whose schedule is only known as text
        return schedule
    return f"{CronSim(schedule, clock.now()).explain()}, UTC"
