"""Who is excepted: users and organizations for whom a flag is something else."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import focus_first_error, go_to
from daytwo_server.accounts.permissions import require
from daytwo_server.core import clock
from daytwo_server.flags.models import MAX_UNIT, Override
from daytwo_server.flags.selectors import detail
from daytwo_server.flags.services import overrides as services
from daytwo_server.flags.services import saving
from daytwo_server.flags.web.common import (
    Place,
    actor,
    frame,
    needed,
    place,
    reason,
    sentence,
    state_in,
    told,
    variants_of,
)
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, refusing_bad_filters

USERS, ORGANIZATIONS = "user", "organization"
LASTS = {
    "": ("Until it is removed", None),
    "1h": ("For an hour", dt.timedelta(hours=1)),
    "1d": ("For a day", dt.timedelta(days=1)),
    "7d": ("For a week", dt.timedelta(days=7)),
    "30d": ("For 30 days", dt.timedelta(days=30)),
}


class OverrideForm(forms.Form):
    """One more. What is served is `on`, `off` or a variant."""

    of = forms.ChoiceField(choices=[(USERS, "A user"), (ORGANIZATIONS, "An organization")], label="Who")
    whom = forms.CharField(max_length=MAX_UNIT, label="Id", help_text="As the app names them.")
    serve = forms.ChoiceField(label="Gets")
    lasts = forms.ChoiceField(
        choices=[(key, label) for key, (label, _) in LASTS.items()], required=False, label="How long"
    )

    def __init__(self, *args: Any, variants: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("on", "On"), ("off", "Off"), *((f"={one}", f"Variant {one}") for one in variants)]
        self.fields["serve"].choices = choices  # type: ignore[attr-defined]

    def written(self) -> dict[str, Any]:
        """As `services.put` takes it."""
        said = self.cleaned_data
        span = LASTS[said["lasts"]][1]
        found: dict[str, Any] = {"user_id" if said["of"] == USERS else "organization_id": said["whom"].strip()}
        found |= {"variant": said["serve"][1:]} if said["serve"].startswith("=") else {"enabled": said["serve"] == "on"}
        return found | {"expires_at": clock.now() + span if span else None}


def override_page(request: HttpRequest, number: int) -> HttpResponseBase:
    """Those in force; a POST adds one, or removes the one that `remove` names."""
    return (_change if request.method == "POST" else _show)(request, number)


@require("flags.view")
@require_safe
@refusing_bad_filters("Overrides", box="")
def _show(request: HttpRequest, number: int) -> HttpResponse:
    found = place(request, number)
    needed(found)
    named = ORGANIZATIONS if request.GET.get("organization") else USERS
    initial = {"of": named, "whom": request.GET.get(named, ""), "serve": "on"}
    return _page(request, found, OverrideForm(initial=initial, variants=_variants(found)))


@require("flags.override")
def _change(request: HttpRequest, number: int) -> HttpResponse:
    found = place(request, number)
    needed(found)
    if request.POST.get("remove"):
        return _remove(request, found)
    form = OverrideForm(request.POST, variants=_variants(found))
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        change = services.put(
            state_in(found.flag, needed(found), by=actor(request)),
            **form.written(),
            by=actor(request),
            reason=reason(request),
        )
    except saving.Refused as problem:
        form.add_error("whom", sentence(problem.fields))
        return _page(request, found, form, status=422)
    said = form.cleaned_data
    toasts.say(request, told(f"{said['whom']} gets {said['serve'].removeprefix('=')}", change))
    return go_to(request, found.url("overrides"))


def _remove(request: HttpRequest, found: Place) -> HttpResponse:
    kind, _, whose = request.POST["remove"].partition(":")
    named = {"user_id" if kind == USERS else "organization_id": whose}
    with toasts.telling(request, saving.Conflict):
        try:
            change = services.remove(
                state_in(found.flag, needed(found), by=actor(request)),
                **named,
                by=actor(request),
                reason=reason(request),
            )
            toasts.say(request, told(f"{whose} gets what everybody gets", change))
        except saving.Refused as problem:
            toasts.say(request, toasts.Toast(sentence(problem.fields), "error"))
    return redirect(found.url("overrides"))


def _variants(found: Place) -> list[str]:
    return variants_of(found.flag) if found.flag.variants else []


def _page(request: HttpRequest, found: Place, form: OverrideForm, *, status: int = 200) -> HttpResponse:
    focus_first_error(form)
    listing = Address.of(reverse("flags:overrides", args=[found.flag.pk]), request.GET, more=("environment", "whose"))
    whose = listing.get("whose").replace("\x00", "")
    rows: list[Override] = []
    pages = {"newer": "", "older": ""}
    if found.state is not None:
        page = detail.overrides(found.state, whose=whose, cursor=request.GET.get("cursor", ""))
        rows, pages = page.rows, listing.pager(page)
    context = {
        **frame(request, found, page="overrides"),
        "crumb": "Overrides",
        "rows": detail.named(rows),
        "whose": whose,
        "form": form,
        "kept_reason": reason(request),
        "action": found.url("overrides"),
        **pages,
    }
    return htmx.render(request, "flags/overrides.html", "flags/_override_form.html", context, status=status)
