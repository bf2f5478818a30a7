"""The pages of the settings: what holds, where it comes from, and changing what may be changed here."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import focus_first_error, go_to, safe_url, viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.permissions import action, can, require
from daytwo_server.core import conf, preferences
from daytwo_server.core.preferences import Origin, Source
from daytwo_server.operate.forms import SettingsForm, text_of, version_of
from daytwo_server.operate.sections import SECTIONS, Section
from daytwo_server.operate.web import mail, retention, workspace
from daytwo_server.ui import htmx, toasts

MANAGE = "settings.manage"
_SECTIONS = {one.slug: one for one in SECTIONS}
# What stands on a page beside its settings.
_MORE = {"general": workspace.words, "mail": mail.words, "retention": retention.words}


def section(request: HttpRequest, slug: str) -> HttpResponseBase:
    """One page; a POST changes what its form holds."""
    view = _save if request.method == "POST" else _show
    return view(request, _SECTIONS[slug])


@require("settings.view")
@require_safe
def _show(request: HttpRequest, page: Section) -> HttpResponse:
    sources = _sources(page)
    return _answer(request, page, sources, _form(request, page, sources))


@require(MANAGE)
@require_POST
def _save(request: HttpRequest, page: Section) -> HttpResponse:
    sources = _sources(page)
    form = _form(request, page, sources)
    if not form.is_valid():
        return _answer(request, page, sources, form, status=422)
    wanted = form.wanted()
    if doomed := retention.doomed(wanted, confirmed=request.POST.get("confirmed", "")):
        return _answer(request, page, sources, form, status=422, doomed=doomed)
    try:
        done = preferences.change(wanted, versions=form.versions(), actor=viewer(request))
    except preferences.Refused as refused:
        for name, problem in refused.problems.items():
            form.add_error(name, problem)
        return _answer(request, page, sources, form, status=422)
    except preferences.Conflict as conflict:
        changed = _sources(page)
        form = _form(request, page, changed)  # who changed it may be somebody else than before
        form.is_valid()
        form.tell_of(conflict.now)
        return _answer(request, page, changed, form, status=409)
    _say(request, {source.name: source for source in sources}, done)
    return go_to(request, reverse(page.url_name))


@require(MANAGE)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Put settings back to what they were: `?name=version:text`, as the toast of a change has it."""
    parts = {name: str(text).partition(":") for name, text in request.GET.items() if name in conf.fields()}
    versions = {name: version_of(version) for name, (version, _, _) in parts.items()}
    texts = {name: text for name, (_, _, text) in parts.items()}
    try:
        undone = preferences.change(texts, versions=versions, actor=viewer(request))
    except (preferences.Refused, preferences.Conflict):
        messages.error(request, "Nothing was undone: somebody changed it again since.")
    else:
        messages.success(request, "Undone" if undone else "It is so already")
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("settings")))


def _sources(page: Section) -> list[Source]:
    found = preferences.sources()
    return [found[name] for name in page.settings()]


def _form(request: HttpRequest, page: Section, sources: Sequence[Source]) -> SettingsForm:
    open_ = [source for source in sources if _may_change(source)]
    data = request.POST if request.method == "POST" else None
    return SettingsForm(open_, names=_names(sources), data=data, locked=not can(request.user, MANAGE))


def _may_change(source: Source) -> bool:
    return bool(conf.fields()[source.name].metadata["page"]) and source.origin is not Origin.ENVIRONMENT


def _names(sources: Sequence[Source]) -> dict[int, str]:
    ids = {source.by for source in sources if source.by}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=ids)} if ids else {}


def _answer(
    request: HttpRequest, page: Section, sources: Sequence[Source], form: SettingsForm, *, status: int = 200,
    doomed: Sequence[retention.Doomed] = (),
) -> HttpResponse:  # fmt: skip
    focus_first_error(form)
    words = {
        "page": page,
        "here": reverse(page.url_name),
        "form": form,
        "may_manage": can(request.user, MANAGE),
        "needs": action(MANAGE).needs,
        "conflict": status == 409,
        "resets": [_reset(source) for source in sources if _may_change(source) and source.origin is Origin.PAGE],
        "fixed": [_fixed(source) for source in sources if not _may_change(source)],
        "doomed": doomed,
        "confirms": retention.signature(doomed),
        "next_run": retention.next_run() if doomed else None,
    }
    if more := _MORE.get(page.slug):
        words |= more(request)
    return htmx.render(request, f"operate/settings{_own(page)}.html", "operate/_settings.html", words, status=status)


def _own(page: Section) -> str:
    """Some pages have a template of their own."""
    return f"_{page.slug}" if page.slug in _MORE else ""


def _reset(source: Source) -> dict[str, Any]:
    """What the button "Back to default" sends: the form with nothing but this setting, emptied."""
    fields = {source.name: "", f"{source.name}.was": text_of(source), f"{source.name}.version": source.version}
    return {"name": source.name, "label": conf.fields()[source.name].metadata["page"], "fields": fields}


def _fixed(source: Source) -> dict[str, Any]:
    """A setting that no page changes: secrets are only said to be there."""
    metadata = conf.fields()[source.name].metadata
    value = conf.as_text(source.value)
    if metadata["secret"]:
        value = "set" if value else "not set"
    return {
        "name": source.name, "env": metadata["env"], "help": metadata["help"], "value": value,
        "given": source.origin is Origin.ENVIRONMENT, "overridden": source.value != conf.default_of(source.name),
        "label": metadata["page"],
    }  # fmt: skip


def _say(request: HttpRequest, before: Mapping[str, Source], done: Mapping[str, Source]) -> None:
    if not done:
        messages.success(request, "Nothing was changed")
        return
    back = {name: f"{source.version}:{text_of(before[name])}" for name, source in done.items()}
    labels = [conf.fields()[name].metadata["page"] for name in done]
    text = f"{labels[0]} saved" if len(labels) == 1 else f"{len(labels)} settings saved"
    toasts.undoable(request, text, f"{reverse('operate:settings-undo')}?{urllib.parse.urlencode(back)}")


urlpatterns = [
    *(path(f"settings/{one.slug}/", section, {"slug": one.slug}, name=one.name) for one in SECTIONS),
    path("settings/undo/", undo, name="settings-undo"),
    path("settings/general/name/", workspace.rename, name="rename-workspace"),
    path("settings/mail/test/", mail.test_mail, name="test-mail"),
    path("settings/retention/run/", retention.run, name="run-retention"),
]
