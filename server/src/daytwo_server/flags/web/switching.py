"""What the buttons of a flag's page do at once: on and off, the rollout, the kill switch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest

from daytwo_server.flags import words
from daytwo_server.flags.selectors import history
from daytwo_server.flags.services import killing, saving
from daytwo_server.flags.web.changes import rows
from daytwo_server.flags.web.common import (
    Place,
    actor,
    expected,
    needed,
    reason,
    sentence,
    state_in,
    told,
)
from daytwo_server.flags.web.drafts import number
from daytwo_server.ui.toasts import Toast


class NotSaved(Exception):
    """`kept` is what the page shows of it: what was wanted, and why it was not done. `status` is 409 or 422."""

    def __init__(self, status: int, **kept: Any) -> None:
        super().__init__(kept.get("problem", ""))
        self.status, self.kept = status, kept


def apply(request: HttpRequest, found: Place) -> Toast:
    """Do what the pressed button says (`do`). Raises `NotSaved`."""
    verb = request.POST.get("do", "")
    if found.flag.archived_at:
        return Toast("This flag is archived. Bring it back first.", "error")
    if verb not in _VERBS:
        return Toast("This page does not know what to do. Reload it and try again.", "error")
    needed(found)
    kept: dict[str, Any] = {"kept_reason": reason(request)}
    if verb == "rollout":
        kept["rollout"] = request.POST.get("preset") or request.POST.get("rollout", "").strip()
    try:
        return _VERBS[verb](request, found)
    except saving.Conflict:
        seen = expected(request) or 0
        changes = history.since(found.flag, needed(found).pk, seen)
        raise NotSaved(409, conflict=rows(changes, found), **kept) from None
    except saving.Refused as problem:
        raise NotSaved(422, problem=sentence(problem.fields), **kept) from None


def _patch(request: HttpRequest, found: Place, fields: Mapping[str, Any], text: str) -> Toast:
    saved = saving.patch(
        found.flag, needed(found), dict(fields), by=actor(request), reason=reason(request),
        expected_revision=expected(request),
    )  # fmt: skip
    return told(text, saved.change)


def _switch(*, enabled: bool) -> Callable[[HttpRequest, Place], Toast]:
    def switch(request: HttpRequest, found: Place) -> Toast:
        text = f"{found.flag.key} is {'on' if enabled else 'off'} in {needed(found).name}"
        return _patch(request, found, {"enabled": enabled}, text)

    return switch


def _rollout(request: HttpRequest, found: Place) -> Toast:
    text = request.POST.get("preset") or request.POST.get("rollout", "")
    percentage = number(text)
    if isinstance(percentage, str):
        raise saving.Refused(fields={"rolloutPercentage": [f"{text[:20]!r} is no number from 0 to 100"]})
    words_ = f"{found.flag.key} is at {words.share(percentage)} in {needed(found).name}"
    return _patch(request, found, {"rolloutPercentage": percentage}, words_)


def _kill(request: HttpRequest, found: Place) -> Toast:
    state = state_in(found.flag, needed(found), by=actor(request))
    change = killing.kill(state, by=actor(request), reason=reason(request))
    return told(f"{found.flag.key} is off for everybody in {needed(found).name}", change)


def _revive(request: HttpRequest, found: Place) -> Toast:
    if found.state is None:
        return told("", None)
    change = killing.revive(found.state, by=actor(request), reason=reason(request))
    return told(f"{found.flag.key} answers in {needed(found).name} as it did before", change)


_VERBS: dict[str, Callable[[HttpRequest, Place], Toast]] = {
    "on": _switch(enabled=True), "off": _switch(enabled=False), "rollout": _rollout, "kill": _kill, "revive": _revive,
}  # fmt: skip
