"""The rules of a flag: adding, editing, reordering, removing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts.http import go_to
from daytwo_server.accounts.permissions import require
from daytwo_server.flags import words
from daytwo_server.flags.selectors import detail, history
from daytwo_server.flags.services import saving
from daytwo_server.flags.web import changes
from daytwo_server.flags.web.common import (
    Place,
    actor,
    expected,
    frame,
    needed,
    place,
    reason,
    sentence,
    told,
    variants_of,
)
from daytwo_server.flags.web.drafts import RuleDraft, blame, with_room
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.toasts import Toast

Rules = list[dict[str, Any]]
_OVERTAKEN = "Somebody else changed this flag meanwhile: look at its rules again, they are not moved."


@require("flags.change")
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, number: int, position: int = 0) -> HttpResponse:
    """The form of the rule at a position, 1 being the first; 0 for a new one, which becomes the last."""
    found = place(request, number)
    needed(found)
    rules: Rules = found.definition.get("rules") or []
    variants = variants_of(found.flag)
    if request.method != "POST":
        if position > len(rules):
            raise Http404
        edited = rules[position - 1] if position else {}
        return _form(request, found, RuleDraft.of(edited, variants), position, was=_mark(edited) if position else "")
    draft = RuleDraft.posted(request.POST, variants)
    if request.POST.get("do") == "more":
        return _form(request, found, draft, position, more=True)
    return _save(request, found, draft, position)


def _save(request: HttpRequest, found: Place, draft: RuleDraft, position: int) -> HttpResponse:
    rules: Rules = list(found.definition.get("rules") or [])
    at = position - 1 if position else len(rules)
    if position and not _is_there(request, rules, position):
        return _overtaken(request, found, draft, position)
    rules[at : at + 1] = [draft.written()]
    try:
        saved = saving.patch(
            found.flag, needed(found), {"rules": rules}, by=actor(request), reason=reason(request),
            expected_revision=expected(request),
        )  # fmt: skip
    except saving.Refused as problem:
        return _form(request, found, draft, position, status=422, problems=blame(draft.conditions, problem.fields))
    except saving.Conflict:
        return _overtaken(request, found, draft, position)
    toasts.say(
        request, told("The rule is changed" if position else "The rule is added; it is asked last", saved.change)
    )
    return go_to(request, found.url())


def _overtaken(request: HttpRequest, found: Place, draft: RuleDraft, position: int) -> HttpResponse:
    """The form with what others did, for the rule that was edited wherever it stands now; for a new one where it does
    not stand as it was.
    """
    found = place(request, found.flag.pk)  # as they left it
    seen = history.since(found.flag, needed(found).pk, expected(request) or 0)
    was, rules = request.POST.get("was", ""), found.definition.get("rules") or []
    places = [position, *range(1, len(rules) + 1)] if position else []
    now = next((one for one in places if _is_there(request, rules, one)), 0)
    return _form(
        request, found, draft, now, status=409, conflict=changes.rows(seen, found), gone=bool(position and not now),
        revision=found.revision, was=was if now else "",
    )  # fmt: skip


def _is_there(request: HttpRequest, rules: Rules, position: int) -> bool:
    """Whether the rule at a position is the one that the form was made of. Positions change when others edit."""
    was = request.POST.get("was", "")
    return position <= len(rules) and was in ("", _mark(rules[position - 1]))


def _mark(rule: Mapping[str, Any]) -> str:
    """What a rule is known by wherever it stands."""
    return hashlib.sha256(json.dumps(rule, sort_keys=True).encode()).hexdigest()[:16]


def _form(
    request: HttpRequest, found: Place, draft: RuleDraft, position: int, *, more: bool = False, status: int = 200,
    **words_: Any,
) -> HttpResponse:  # fmt: skip
    draft.conditions = with_room(draft.conditions, more=more)
    context = {
        **frame(request, found),
        "crumb": f"Rule {position}" if position else "New rule",
        "draft": draft,
        "position": position,
        "operators": words.OPERATORS.items(),
        "variants": variants_of(found.flag),
        "segments": [one.name for one in detail.segments(found.flag.project_id)],
        "attributes": ("userId", "organizationId", "plan", "currentTime"),
        "action": found.url("rule", position) if position else found.url("new-rule"),
        "kept_reason": reason(request),
        "conflict": None,
        "was": request.POST.get("was", ""),
        # That of the rules which the form was made of, until their changes stand above it.
        "revision": found.revision if expected(request) is None else expected(request),
        "places": [],
        **words_,
    }
    return htmx.render(request, "flags/rule.html", "flags/_rule.html", context, status=status)


@require("flags.change")
@require_POST
def move_rule(request: HttpRequest, number: int, position: int) -> HttpResponse:
    """Ask a rule earlier (`do=up`) or later (`down`), or `remove` it."""
    found = place(request, number)
    rules: Rules = list(found.definition.get("rules") or [])
    there = 1 <= position <= len(rules)
    toasts.say(request, _moved(request, found, rules, position - 1) if there else Toast(_OVERTAKEN, "error"))
    return redirect(found.url())


def _moved(request: HttpRequest, found: Place, rules: Rules, at: int) -> Toast:
    verb = request.POST.get("do", "")
    if verb == "remove":
        del rules[at]
        text = "The rule is removed"
    elif verb in {"up", "down"}:
        there = at - 1 if verb == "up" else at + 1
        if not 0 <= there < len(rules):
            return Toast("It is there already")
        rules[at], rules[there] = rules[there], rules[at]
        text = "The rule is asked earlier" if verb == "up" else "The rule is asked later"
    else:
        return Toast("Press what is to be done with the rule; it is where it was.", "error")
    try:
        saved = saving.patch(
            found.flag, needed(found), {"rules": rules}, by=actor(request), reason=reason(request),
            expected_revision=expected(request),
        )  # fmt: skip
    except saving.Refused as problem:
        return Toast(sentence(problem.fields), "error")
    except saving.Conflict:
        return Toast(_OVERTAKEN, "error")
    return told(text, saved.change)
