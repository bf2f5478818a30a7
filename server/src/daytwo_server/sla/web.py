"""What is promised to customers, among the settings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import form_page, go_to, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.calendars.selectors import calendars
from daytwo_server.sla import selectors, services
from daytwo_server.sla.durations import write
from daytwo_server.sla.forms import ALWAYS, PolicyForm
from daytwo_server.sla.models import Policy
from daytwo_server.sla.services import PolicyError
from daytwo_server.tickets.models import Priority
from daytwo_server.ui import toasts
from daytwo_server.ui.listing import Address, archive_tabs, refusing_bad_filters


@require("sla.view")
@require_safe
@refusing_bad_filters(box="")
def policy_list(request: HttpRequest) -> HttpResponse:
    """What is promised, in the order in which it is asked, and what a ticket gets. `?archived=1` shows the others."""
    listing = Address.of(reverse("sla:list"), request.GET, more=("archived",))
    archived = listing.get("archived") == "1"
    found = selectors.policies(archived=archived)
    words = {
        "policies": [_row(one, found) for one in found],
        "table": selectors.table(found) if found and not archived else [],
        "priorities": list(Priority),
        "archived": archived,
        "tabs": archive_tabs(listing, archived=archived, label="In force"),
        "may_manage": can(request.user, "sla.manage"),
    }
    return render(request, "sla/list.html", words)


@require("sla.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new policy."""
    form = PolicyForm(request.POST if request.method == "POST" else None, calendars=calendars())
    try:
        if form.is_valid():
            made = services.create_policy(form.words(), actor=viewer(request))
            messages.success(request, f"{made.name} is promised from now on")
            return go_to(request, reverse("sla:list"))
    except PolicyError as problem:
        form.add_error(problem.field, str(problem))
    return _form_page(request, form, None)


@require("sla.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, policy: int) -> HttpResponse:
    """The same form for one that is there."""
    found = _find(policy)
    offered = calendars()
    if found.calendar and found.calendar not in offered:  # what is chosen can stay so
        offered.append(found.calendar)
    data = request.POST if request.method == "POST" else None
    form = PolicyForm(data, initial=PolicyForm.initial_of(found), calendars=offered)
    try:
        if form.is_valid():
            services.change_policy(found, form.words(), actor=viewer(request))
            messages.success(request, "Saved. Tickets that are not resolved are counted anew.")
            return go_to(request, reverse("sla:list"))
    except PolicyError as problem:
        form.add_error(problem.field, str(problem))
    return _form_page(request, form, found)


@require("sla.manage")
@require_POST
def move(request: HttpRequest, policy: int) -> HttpResponse:
    """Have a policy asked earlier (`do=up`) or later."""
    services.move_policy(_find(policy), up=request.POST.get("do") == "up", actor=viewer(request))
    return go_to(request, reverse("sla:list"))


@require("sla.manage")
@require_POST
def archive(request: HttpRequest, policy: int, *, archived: bool) -> HttpResponse:
    """Put a policy away or bring it back; each offers the other as its undo."""
    found = _find(policy)
    with toasts.telling(request, PolicyError):
        services.archive_policy(found, archived=archived, actor=viewer(request))
        text = f"{found.name} is promised no more" if archived else f"{found.name} is promised again"
        toasts.undoable(request, text, reverse("sla:restore" if archived else "sla:archive", args=[policy]))
    return go_to(request, reverse("sla:list"))


@require("sla.manage")
@require_POST
def usual(request: HttpRequest) -> HttpResponse:
    """Make the promises that most teams begin with."""
    person = viewer(request)
    services.create_usual(time_zone=person.time_zone, actor=person)
    messages.success(request, "Promises for urgent, high and all other tickets are in force; change them as you like")
    return go_to(request, reverse("sla:list"))


def _row(one: Policy, found: list[Policy]) -> dict[str, object]:
    same = [other.pk for other in found if other.takes_all == one.takes_all]
    targets = (
        ("First reply", one.first_response_s),
        ("Next reply", one.next_response_s),
        ("Resolve", one.resolution_s),
    )
    return {
        "policy": one,
        "priorities": [Priority(value).label for value in one.priorities],
        "hours": one.calendar.name if one.calendar else ALWAYS,
        "targets": [(label, write(seconds)) for label, seconds in targets if seconds],
        "first": same[0] == one.pk,
        "last": same[-1] == one.pk,
    }


def _find(policy: int) -> Policy:
    found = selectors.policy(policy)
    if found is None:
        raise Http404
    return found


def _form_page(request: HttpRequest, form: PolicyForm, policy: Policy | None) -> HttpResponse:
    words: dict[str, Any] = {
        "submit": "Create policy",
        "title": "New policy",
        "lead": "It is asked after the policies that are there, and before the one for everything.",
        "crumb": "New",
    }
    if policy:
        words = {
            "submit": "Save",
            "title": f"Edit {policy.name}",
            "lead": "Tickets that are not resolved are counted anew; what was kept or missed before stays so.",
            "crumb": policy.name,
            "ref": ("sla_policy", policy.pk),
        }
    return form_page(request, "ui/settings_form.html", form, action=request.path, back=reverse("sla:list"), **words)


app_name = "sla"
urlpatterns = [
    path("settings/sla/", policy_list, name="list"),
    path("settings/sla/new/", create, name="create"),
    path("settings/sla/usual/", usual, name="usual"),
    path("settings/sla/<id:policy>/", edit, name="edit"),
    path("settings/sla/<id:policy>/move/", move, name="move"),
    path("settings/sla/<id:policy>/archive/", archive, {"archived": True}, name="archive"),
    path("settings/sla/<id:policy>/restore/", archive, {"archived": False}, name="restore"),
]
