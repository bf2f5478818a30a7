"""Segments: conditions with a name, which the rules of all flags of a project may use."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import focus_first_error, go_to
from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog import selectors as catalog
from daytwo_server.core import preferences
from daytwo_server.flags import words
from daytwo_server.flags.forms import SegmentForm
from daytwo_server.flags.models import MAX_REASON, Segment
from daytwo_server.flags.selectors import segments as selectors
from daytwo_server.flags.services import saving, segments
from daytwo_server.flags.web.common import actor, reason, sentence
from daytwo_server.flags.web.drafts import ConditionDraft, blame, conditions_in, conditions_of, with_room
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, refusing_bad_filters


@require("flags.view")
@require_safe
@refusing_bad_filters("Segments", box="")
def segment_list(request: HttpRequest) -> HttpResponse:
    """All segments, by name, with the flags that use each."""
    page = selectors.segments(cursor=request.GET.get("cursor", ""))
    used = selectors.used_by(page.rows)
    context = {
        "rows": [
            {
                "segment": one,
                "lines": [words.sentence(condition) for condition in one.conditions],
                "used": used[one.pk],
            }
            for one in page.rows
        ],
        "may_change": can(request.user, "flags.change"),
        "projects": catalog.projects_to_choose(),
        **Address(path=request.path, params={}).pager(page),
    }
    return htmx.render(request, "flags/segments.html", "flags/_segments.html", context)


@require("flags.change")
@require_http_methods(["GET", "HEAD", "POST"])
def create_segment(request: HttpRequest) -> HttpResponse:
    """A new one."""
    return _edit(request, None)


@require("flags.change")
@require_http_methods(["GET", "HEAD", "POST"])
def segment(request: HttpRequest, segment: int) -> HttpResponse:
    """The same form for one that is there."""
    found = selectors.segment(segment)
    if found is None:
        raise Http404
    return _edit(request, found)


def _edit(request: HttpRequest, found: Segment | None) -> HttpResponse:
    projects = catalog.projects_to_choose()
    initial: dict[str, Any] = (
        {"description": found.description, "revision": found.revision} if found
        else {"project": projects[0][0] if projects else ""}
    )  # fmt: skip
    form = SegmentForm(
        request.POST if request.method == "POST" else None, initial=initial, projects=projects, known=found is not None,
        why_needed=preferences.current().flags_require_comment,
    )  # fmt: skip
    if request.method != "POST":
        return _form(request, found, form, conditions_of(found.conditions if found else []))
    conditions = conditions_in(request.POST)
    if request.POST.get("do") == "more":
        return _form(request, found, form, conditions, more=True)
    try:
        if form.is_valid() and _saved(request, found, form, conditions):
            toasts.say(request, toasts.Toast("The segment is saved"))
            return go_to(request, reverse("flags:segments"))
    except saving.Conflict:
        return _late(request, found, form, conditions)
    return _form(request, found, form, conditions)


def _late(
    request: HttpRequest, found: Segment | None, form: SegmentForm, conditions: list[ConditionDraft]
) -> HttpResponse:
    """What was typed, and above it what somebody else made of the segment; saving again is over that."""
    if found is None:
        form.add_error("name", f"There is a segment {form.cleaned_data['name']} in this project already.")
        return _form(request, found, form, conditions)
    now = selectors.segment(found.pk)
    if now is None:
        raise Http404
    data = request.POST.copy()
    data["revision"] = str(now.revision)
    form.data = data
    return _form(request, now, form, conditions, is_late=True)


def _saved(request: HttpRequest, found: Segment | None, form: SegmentForm, conditions: list[ConditionDraft]) -> bool:
    said = form.cleaned_data
    project = found.project if found else catalog.project_by_slug(said["project"])
    assert project is not None  # it was among the choices
    name = found.name if found else said["name"].strip()
    try:
        segments.put(
            project, name, [one.written() for one in conditions], description=said["description"], by=actor(request),
            reason=said.get("reason", ""), expected_revision=said["revision"] if found else 0,
        )  # fmt: skip
    except saving.Refused as problem:
        others = blame(conditions, problem.fields)
        if not conditions:  # what is said is about the row that is shown in place of none
            conditions.append(ConditionDraft(problems=others))
            return False
        for text in others:
            form.add_error(None, text)
        return False
    return True


def _form(
    request: HttpRequest, found: Segment | None, form: SegmentForm, conditions: list[ConditionDraft], *,
    more: bool = False, is_late: bool = False,
) -> HttpResponse:  # fmt: skip
    focus_first_error(form)
    context: dict[str, Any] = {
        "segment": found,
        "now": [words.sentence(one) for one in found.conditions] if found and is_late else [],
        "form": form,
        "conditions": with_room(conditions, more=more),
        "operators": [(name, verb) for name, verb in words.OPERATORS.items() if name != "segment"],
        "attributes": ("userId", "organizationId", "plan", "currentTime"),
        "action": request.get_full_path(),
        "used": selectors.used_by([found])[found.pk] if found else [],
        "why_needed": preferences.current().flags_require_comment,
        "longest_reason": MAX_REASON,
    }
    status = 409 if is_late else 422 if request.method == "POST" and not more else 200
    return htmx.render(request, "flags/segment.html", "flags/_segment.html", context, status=status)


@require("flags.change")
@require_POST
def remove_segment(request: HttpRequest, segment: int) -> HttpResponse:
    """Refused while a rule uses it."""
    found = selectors.segment(segment)
    if found is None:
        raise Http404
    try:
        segments.remove(found, by=actor(request), reason=reason(request))
        toasts.say(request, toasts.Toast(f"The segment {found.name} is removed"))
    except saving.Refused as problem:
        toasts.say(request, toasts.Toast(sentence(problem.fields), "error"))
        return go_to(request, reverse("flags:segment", args=[segment]))
    return go_to(request, reverse("flags:segments"))
