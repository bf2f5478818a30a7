"""What a flag is: creating it, editing it everywhere and in an environment, archiving it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts import selectors as accounts
from daytwo_server.accounts.http import focus_first_error, go_to, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.catalog import selectors as catalog
from daytwo_server.core import preferences
from daytwo_server.flags.forms import FlagForm, TargetingForm
from daytwo_server.flags.models import Flag
from daytwo_server.flags.selectors import detail, history, listing
from daytwo_server.flags.services import archiving, saving
from daytwo_server.flags.web import changes
from daytwo_server.flags.web.common import (
    UNDONE,
    Place,
    actor,
    frame,
    needed,
    place,
    reason,
    sentence,
    told,
    variants_of,
)
from daytwo_server.flags.web.drafts import split_of, weights_in
from daytwo_server.ui import htmx, toasts

FIRST = "production"  # the environment of a flag whose project has none yet
PEOPLE = 200  # members that may be chosen as an owner


@require("flags.change")
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new flag, off everywhere, and then its page."""
    projects = catalog.projects_to_choose()
    given = {"kind": "release", "type": "boolean", "owner": viewer(request).email}
    chosen = request.GET.get("project", "")
    initial = given | ({"project": chosen} if chosen in dict(projects) else {})
    form = FlagForm(
        request.POST if request.method == "POST" else None, initial=initial, projects=projects,
        people=accounts.people(limit=PEOPLE), why_needed=_why_needed(),
    )  # fmt: skip
    if form.is_valid() and (made := _create(request, form)) is not None:
        toasts.say(request, toasts.Toast(f"{made.key} is there, and off everywhere"))
        return go_to(request, reverse("flags:flag", args=[made.pk]))
    return _form_page(request, form, "flags/create.html", {})


def _create(request: HttpRequest, form: FlagForm) -> Flag | None:
    project = catalog.project_by_slug(form.cleaned_data["project"])
    assert project is not None  # it was among the choices
    key, body = form.cleaned_data["key"], form.body()
    if Flag.objects.filter(project=project, key=key).exists():
        form.add_error("key", f"There is a flag {key} in this project already, or an archived one.")
        return None
    environments = listing.in_order(catalog.environments_of(project))
    environment = environments[0].name if environments else FIRST
    why = form.cleaned_data.get("reason", "")
    try:
        return saving.put(project, environment, key, body, by=actor(request), reason=why).flag
    except saving.Refused as problem:
        form.blame(problem.fields)
        return None


@require("flags.change")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: int) -> HttpResponse:
    """What it is in all environments."""
    found = place(request, number)
    form = FlagForm(
        request.POST if request.method == "POST" else None,
        initial=FlagForm.initial_of(found.flag) | {"revision": found.revision},
        flag=found.flag, people=accounts.people(limit=PEOPLE), why_needed=_why_needed(),
    )  # fmt: skip
    return _edited(request, found, form, "flags/edit.html", "Edit", {})


@require("flags.change")
@require_http_methods(["GET", "HEAD", "POST"])
def targeting(request: HttpRequest, number: int) -> HttpResponse:
    """Plans, users, the split and prerequisites in an environment."""
    found = place(request, number)
    needed(found)
    posted = request.method == "POST"
    form = TargetingForm(
        request.POST if posted else None,
        initial=TargetingForm.initial_of(found.state) | {"revision": found.revision}, why_needed=_why_needed(),
    )  # fmt: skip
    written = {one["variant"]: f"{one['weight']:g}" for one in found.definition.get("split") or []}
    variants = variants_of(found.flag)
    weights = weights_in(request.POST, variants) if posted else [(one, written.get(one, "")) for one in variants]
    more = {
        "weights": weights,
        "split": split_of(weights),
        "keys": detail.keys_of(found.flag.project_id, but=[found.flag.key]),
    }
    return _edited(request, found, form, "flags/targeting.html", "Plans, split, prerequisites", more)


def _edited(
    request: HttpRequest, found: Place, form: FlagForm | TargetingForm, template: str, crumb: str, more: dict[str, Any]
) -> HttpResponse:
    """Save a valid form and go back to the flag; else show it again with what is wrong, or with what others did."""
    context = {**frame(request, found, page=template.partition("/")[2].removesuffix(".html")), "crumb": crumb, **more}
    if form.is_valid():
        body = form.body() | ({"split": more["split"]} if "split" in more else {})
        said = form.cleaned_data
        try:
            saved = saving.patch(
                found.flag, found.environment, body, by=actor(request), reason=said.get("reason", ""),
                expected_revision=said["revision"],
            )  # fmt: skip
        except saving.Refused as problem:
            form.blame(problem.fields)
        except saving.Conflict:
            here = found.environment.pk if found.environment else None
            seen = history.since(found.flag, here, said["revision"] or 0)
            # What was typed stays; the next time it is saved over what others did, which now stands above it.
            data = request.POST.copy()
            data["revision"] = str(found.revision)
            form.data = data
            return _form_page(request, form, template, {**context, "conflict": changes.rows(seen, found)}, status=409)
        else:
            toasts.say(request, told("Saved", saved.change))
            return go_to(request, found.url())
    return _form_page(request, form, template, context)


def _form_page(
    request: HttpRequest, form: FlagForm | TargetingForm, template: str, context: dict[str, Any], *, status: int = 0
) -> HttpResponse:
    focus_first_error(form)
    words = {"conflict": None, **context, "form": form, "action": request.get_full_path()}
    status = status or (422 if request.method == "POST" else 200)
    return htmx.render(request, template, "flags/_form.html", words, status=status)


@require("flags.change")
@require_POST
def archive(request: HttpRequest, number: int, *, archived: bool) -> HttpResponse:
    """Put a flag away, which its toast undoes, or bring it back."""
    found = place(request, number)
    flag = found.flag
    try:
        if archived:
            archiving.archive([flag], by=actor(request), reason=reason(request))
            text = f"{flag.key} is archived: apps use their own default"
            toasts.undoable(request, text, found.url("restore"))
        else:
            archiving.restore([flag], by=actor(request), reason=reason(request) or UNDONE)
            toasts.say(request, toasts.Toast(f"{flag.key} is back, and answers as it did before"))
    except archiving.Refused as problem:
        toasts.say(request, toasts.Toast(sentence(problem.fields), "error"))
    return go_to(request, found.url())


def _why_needed() -> bool:
    return preferences.current().flags_require_comment
