"""The list of flags."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import member_choice, safe_url, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors as catalog
from daytwo_server.catalog.models import Environment
from daytwo_server.core import clock, paths, preferences
from daytwo_server.flags import fields, words
from daytwo_server.flags.models import MAX_REASON, Flag, Kind
from daytwo_server.flags.selectors import listing as selectors
from daytwo_server.flags.services import archiving, saving
from daytwo_server.flags.web.common import UNDONE, actor, reason, sentence, told
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, archive_tabs, refusing_bad_filters
from daytwo_server.ui.toasts import Toast

FILTERS = ("project", "kind", "owner", "is")
STATES = [
    ("on", "On somewhere"), ("off", "Off everywhere"), ("killed", "Killed"), ("ramping", "In a ramp"),
    ("stale", "To be removed"), ("exposed", "Exposed to client keys"),
]  # fmt: skip
SORT_WORDS = {"key": "Key", "changed": "Last changed"}
PLACES = 3  # environments that a row names
_refusing = refusing_bad_filters("Flags", views="flags")


def flag_list(request: HttpRequest) -> HttpResponseBase:
    """The list; a POST archives what is ticked, or brings it back, and shows the list again."""
    return (_change if request.method == "POST" else _show)(request)


@require("flags.view")
@require_safe
@_refusing
def _show(request: HttpRequest) -> HttpResponse:
    listing, cursor = _listing(request.GET), request.GET.get("cursor", "")
    archived, sort = listing.get("archived") == "1", _sort(listing)
    found = selectors.matching(listing.asked, archived=archived, me=viewer(request).email)
    page = selectors.flags(found, sort=sort, cursor=cursor)
    projects = catalog.projects_to_choose()
    may_change, why_needed = can(request.user, "flags.change"), preferences.current().flags_require_comment
    context: dict[str, Any] = {
        "rows": _rows(page.rows),
        "here": listing.url(cursor=cursor),
        "archived": archived,
        "tabs": archive_tabs(listing, archived=archived),
        "projects": projects,
        "one_project": len(projects) == 1 or bool(listing.get("project")),
        "may_change": may_change,
        "may_switch": may_change and not archived and not why_needed,
        "why_needed": why_needed,
        "longest_reason": MAX_REASON,
        "places": PLACES,
        **_bar(listing, projects),
        **listing.pager(page),
    }
    return htmx.render(request, "flags/list.html", "flags/_list.html", context)


@require("flags.change")
@_refusing
def _change(request: HttpRequest) -> HttpResponseBase:
    if "do" not in request.POST:  # Enter, on a page without scripts
        return redirect(request.get_full_path())
    return toasts.shown_again(request, _apply(request), _show)


def _apply(request: HttpRequest) -> Toast:
    verb, _, one = request.POST.get("do", "").partition(":")
    if verb in {"on", "off"}:
        return _switched(request, one, enabled=verb == "on")
    ticked = paths.numbers([one] if one else request.POST.getlist("flag"))
    archived = {"archive": False, "restore": True}.get(verb)
    if archived is None:
        return Toast("This page does not know what to do. Reload it and try again.", "error")
    if not ticked:
        return Toast("Nothing is selected. Tick the flags first.", "error")
    found = list(Flag.objects.filter(pk__in=ticked, archived_at__isnull=not archived))
    if not found:
        return Toast("These were brought back already" if archived else "These were archived already")
    try:
        return (_restored if archived else _archived)(request, found)
    except archiving.Refused as problem:
        return Toast(sentence(problem.fields), "error")


def _switched(request: HttpRequest, where: str, *, enabled: bool) -> Toast:
    """`where` is a flag and one of its environments: "7.3"."""
    named = paths.numbers(where.split("."))
    found = Flag.objects.filter(pk=named[0]).first() if len(named) == 2 else None
    environment = Environment.objects.filter(pk=named[1], project=found.project_id).first() if found else None
    if found is None or environment is None:
        return Toast("This flag or its environment is gone. Reload the page.", "error")
    try:
        saved = saving.patch(found, environment, {"enabled": enabled}, by=actor(request), reason=reason(request))
    except saving.Refused as problem:
        return Toast(sentence(problem.fields), "error")
    return told(f"{found.key} is {'on' if enabled else 'off'} in {environment.name}", saved.change)


def _archived(request: HttpRequest, found: list[Flag]) -> Toast:
    archiving.archive(found, by=actor(request), reason=reason(request))
    numbers = ".".join(str(one.pk) for one in found)
    text = f"{found[0].key} is archived: apps use their own default" if len(found) == 1 else _many(found, "archived")
    return Toast(text, undo=f"{reverse('flags:bring-back')}?flags={numbers}")


def _restored(request: HttpRequest, found: list[Flag]) -> Toast:
    archiving.restore(found, by=actor(request), reason=reason(request))
    return Toast(f"{found[0].key} is back" if len(found) == 1 else _many(found, "back"))


def _many(found: list[Flag], word: str) -> str:
    return f"{len(found):,} flags are {word}"


@require("flags.change")
@require_POST
def bring_back(request: HttpRequest) -> HttpResponse:
    """Undo an archiving: `?flags=` are their numbers."""
    numbers = paths.numbers(request.GET.get("flags", "").split("."))
    found = list(Flag.objects.filter(pk__in=numbers, archived_at__isnull=False))
    try:
        if found:
            archiving.restore(found, by=actor(request), reason=UNDONE)
            messages.success(request, f"{found[0].key} is back" if len(found) == 1 else _many(found, "back"))
    except archiving.Refused as problem:
        messages.error(request, sentence(problem.fields))
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("flags:list")))


def _listing(values: QueryDict) -> Address:
    here = reverse("flags:list")
    return Address.of(here, values, filters=FILTERS, more=("archived", "sort"), parse=selectors.FLAGS.parse)


def _sort(listing: Address) -> str:
    return listing.get("sort") if listing.get("sort") in selectors.SORTS else "key"


def _bar(listing: Address, projects: list[tuple[str, str]]) -> dict[str, Any]:
    choices = [
        listing.choice("is", "State", STATES),
        listing.choice("kind", "Kind", Kind.choices),
        member_choice(listing, "owner", "Owner", [("me", "Me"), ("none", "Nobody")]),
        listing.choice("sort", "Sort by", SORT_WORDS.items(), any_=False),
    ]
    if len(projects) > 1:
        choices.insert(0, listing.choice("project", "Project", projects))
    return listing.bar(*choices)


def _rows(page: list[Flag]) -> list[dict[str, Any]]:
    """Each with what it is everywhere and whether it should go. Three queries."""
    everywhere, answered, now = selectors.everywhere(page), selectors.answers(page), clock.now()
    return [
        {
            "flag": one,
            "asked": one.asked,  # type: ignore[attr-defined]  # see `selectors.flags`
            "places": [_place(where, one) for where in everywhere[one.pk][:PLACES]],
            "more": max(0, len(everywhere[one.pk]) - PLACES),
            "stale": selectors.verdict(
                one,
                changed=one.changed,  # type: ignore[attr-defined]
                asked=one.asked,  # type: ignore[attr-defined]
                answered=answered[one.pk],
                now=now,
            ),
        }
        for one in page
    ]


def _place(where: selectors.Somewhere, flag: Flag) -> dict[str, str]:
    state = where.state
    if state is None or not state.enabled:
        text, tone = "off", ""
    elif state.killed:
        text, tone = "killed", "major"
    else:
        text = words.percent(state.rollout)
        tone = "ok" if text == "100%" else "degraded" if state.rollout else ""
        if text == "100%":
            text = "split" if fields.split_of(state.definition.get("split") or [], flag.variants) else "on"
    verb = "off" if state and state.enabled else "on"
    # What is killed is released where it is said why.
    switch = "" if state and state.killed else f"{verb}:{flag.pk}.{where.environment.pk}"
    return {"name": where.environment.name, "text": text, "tone": tone, "switch": switch}
