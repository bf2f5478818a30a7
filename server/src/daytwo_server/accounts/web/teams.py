"""Teams among the settings: who gets mail about what was given to nobody by name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts import permissions, selectors, services
from daytwo_server.accounts.http import form_page, go_to, viewer
from daytwo_server.accounts.models import Team
from daytwo_server.accounts.selectors import NoMember, members_named
from daytwo_server.accounts.services import TeamError, TeamWords
from daytwo_server.ui import toasts
from daytwo_server.ui.listing import Address, archive_tabs, refusing_bad_filters
from daytwo_server.ui.widgets import Completed

MAX_ASKED = 100
OFFERED = 20


class TeamForm(forms.Form):
    name = forms.CharField(max_length=100, label="Name", help_text="As tickets are given to it, for example Billing.")
    address = forms.CharField(
        required=False, max_length=254, label="E-mail address",
        help_text="A list or mailbox that all of them read. Empty: each member gets mail by themselves.",
        widget=forms.EmailInput,
    )  # fmt: skip
    members = forms.CharField(
        required=False, label="Members", help_text="Members' e-mail addresses, with commas between them.",
        widget=Completed("people"),
    )  # fmt: skip

    def clean_members(self) -> list[int]:
        try:
            return members_named(self.cleaned_data["members"].split(","))
        except NoMember as problem:
            raise forms.ValidationError(str(problem)) from None

    def words(self) -> TeamWords:
        """What was said, once it is valid."""
        said = self.cleaned_data
        return TeamWords(name=" ".join(said["name"].split()), address=said["address"], members=said["members"])

    @staticmethod
    def initial_of(team: Team) -> dict[str, Any]:
        members = ", ".join(person.email for person in selectors.members_of(team))
        return {"name": team.name, "address": team.address, "members": members}


@permissions.require("members.view")
@require_safe
@refusing_bad_filters(box="")
def teams(request: HttpRequest) -> HttpResponse:
    """Those in use; `?archived=1` shows the others."""
    listing = Address.of(reverse("teams"), request.GET, more=("archived",))
    archived = listing.get("archived") == "1"
    words = {
        "teams": selectors.teams(archived=archived),
        "archived": archived,
        "tabs": archive_tabs(listing, archived=archived),
        "may_manage": permissions.can(request.user, "members.manage"),
    }
    return render(request, "accounts/teams.html", words)


@permissions.require("members.view")
@require_safe
def team_names(request: HttpRequest) -> HttpResponse:
    """The options of a field: teams whose name has what was typed. `?of=` says under which name the field sends it."""
    typed = request.GET.get(request.GET.get("of", "q"), "").replace("\x00", "").strip()[:MAX_ASKED]
    names = [team.name for team in selectors.teams() if typed.casefold() in team.name.casefold()]
    return render(request, "accounts/_team_names.html", {"names": names[:OFFERED]})


@permissions.require("members.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new team."""
    return _edit(request, None)


@permissions.require("members.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, team: int) -> HttpResponse:
    """The same form for one that is there."""
    return _edit(request, get_object_or_404(Team, pk=team))


@permissions.require("members.manage")
@require_POST
def archive(request: HttpRequest, team: int, *, archived: bool) -> HttpResponse:
    """Put a team away or bring it back; each offers the other as its undo."""
    found = get_object_or_404(Team, pk=team)
    with toasts.telling(request, TeamError):
        services.archive_team(found, archived=archived, actor=viewer(request))
        text = f"{found.name} is archived" if archived else f"{found.name} is back"
        toasts.undoable(request, text, reverse("restore_team" if archived else "archive_team", args=[team]))
    return go_to(request, reverse("teams"))


def _edit(request: HttpRequest, known: Team | None) -> HttpResponse:
    initial = TeamForm.initial_of(known) if known else None
    form = TeamForm(request.POST if request.method == "POST" else None, initial=initial)
    try:
        if form.is_valid():
            team = services.save_team(form.words(), actor=viewer(request), known=known)
            messages.success(request, f"{team.name} saved")
            return go_to(request, reverse("teams"))
    except TeamError as problem:
        form.add_error(problem.field, str(problem))
    name = known.name if known else ""
    words: dict[str, Any] = {
        "submit": "Save" if known else "Create team",
        "title": f"Edit {name}" if known else "New team",
        "lead": "When a customer answers a ticket that was given to the team and to nobody by name, it is told.",
        "crumb": name or "New",
        "ref": ("team", known.pk) if known else None,
    }
    return form_page(request, "ui/settings_form.html", form, action=request.path, back=reverse("teams"), **words)


urlpatterns = [
    path("settings/teams/", teams, name="teams"),
    path("settings/teams/names/", team_names, name="team_names"),
    path("settings/teams/new/", create, name="new_team"),
    path("settings/teams/<id:team>/", edit, name="team"),
    path("settings/teams/<id:team>/archive/", archive, {"archived": True}, name="archive_team"),
    path("settings/teams/<id:team>/restore/", archive, {"archived": False}, name="restore_team"),
]
