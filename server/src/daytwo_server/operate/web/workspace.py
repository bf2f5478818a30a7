"""Beside the general settings: what the workspace is called."""

from __future__ import annotations

import urllib.parse
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from daytwo_server.accounts import services
from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.ui import htmx, toasts


class NameForm(forms.Form):
    """`was` is the name that the editor began with."""

    name = forms.CharField(
        max_length=100, label="Name", help_text="Stands in the navigation, in window titles and in mails."
    )
    was = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)


def words(request: HttpRequest) -> dict[str, Any]:
    """The form with the name as it is."""
    name = services.workspace().name
    form = NameForm(initial={"name": name, "was": name}, auto_id="workspace_%s")
    form.fields["name"].disabled = not can(request.user, "settings.manage")
    return {"name_form": form, "may_manage": not form.fields["name"].disabled}


@require("settings.manage")
@require_POST
def rename(request: HttpRequest) -> HttpResponse:
    """Call the workspace something else."""
    # Undo has the former name in its address.
    form = NameForm(request.POST if "name" in request.POST else request.GET, auto_id="workspace_%s")
    if not form.is_valid():
        return _again(request, form, status=422)
    name, was = form.cleaned_data["name"], form.cleaned_data["was"]
    try:
        renamed = services.rename_workspace(name, was=was, actor=viewer(request))
    except services.ChangedMeanwhileError as problem:
        form.add_error("name", f"{problem} Save again to name it {name}.")
        form.data = {"name": name, "was": services.workspace().name}
        return _again(request, form, status=409)
    if renamed:
        undo = f"{reverse('operate:rename-workspace')}?{urllib.parse.urlencode({'name': was, 'was': name})}"
        toasts.undoable(request, f"The workspace is now {name}", undo)
    else:
        messages.success(request, "Nothing was changed")
    return go_to(request, reverse("operate:settings-general"))


def _again(request: HttpRequest, form: NameForm, *, status: int) -> HttpResponse:
    focus_first_error(form)
    context = {"name_form": form, "may_manage": True}
    return htmx.render(request, "operate/workspace.html", "operate/_workspace.html", context, status=status)
