"""What the flags are for whom a ticket is of, and switching one for them until it is closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import can, require
from daytwo_server.catalog.models import Environment
from daytwo_server.core import preferences
from daytwo_server.flags.models import MAX_REASON, Flag, Override
from daytwo_server.flags.selectors import effective
from daytwo_server.flags.services import overrides, saving
from daytwo_server.flags.web.common import (
    actor,
    reason,
    sentence,
    state_in,
    told,
)
from daytwo_server.tickets.selectors import tickets
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.toasts import Toast

SHOWN = 6
CLOSED = "closed"


def of_ticket(request: HttpRequest, number: int) -> HttpResponseBase:
    """The flags of a ticket's customer; a POST overrides one of them until the ticket is closed, or ends that."""
    return (_change if request.method == "POST" else _show)(request, number)


@require("flags.view")
@require_safe
def _show(request: HttpRequest, number: int) -> HttpResponse:
    return htmx.render(request, "flags/of_ticket.html", "flags/_of_ticket.html", _words(request, number))


@require("flags.override")
def _change(request: HttpRequest, number: int) -> HttpResponseBase:
    ticket, environment = _find(number)
    if environment is None or ticket.status == CLOSED:
        toast = Toast("Nothing was switched: the ticket is closed, or its project has no environment.", "error")
    else:
        toast = _apply(request, ticket, environment)
    return toasts.shown_again(request, toast, lambda again: _show(again, number))


def _apply(request: HttpRequest, ticket: Any, environment: Environment) -> Toast:
    verb, _, key = request.POST.get("do", "").partition(":")
    key = key or request.POST.get("flag", "")
    if verb not in {"on", "off", "remove"}:
        return Toast("This page does not know what to do. Reload it and try again.", "error")
    flag = get_object_or_404(Flag, project=environment.project_id, key=key.replace("\x00", ""), archived_at=None)
    whom = _whom(ticket)
    if whom is None:
        return Toast("This customer is known by no id, so no app can be told about them.", "error")
    by, why = actor(request), reason(request) or f"For {ticket.code}"
    try:
        state = state_in(flag, environment, by=by)
        if verb == "remove":
            its = _shown(ticket, environment, flag) or whom
            gone = overrides.remove(
                state, user_id=its.user_id, organization_id=its.organization_id, by=by, reason=why
            )  # fmt: skip
            return told(f"{key} is what it is for everybody", gone)
        change = overrides.put(
            state, user_id=whom.user_id, organization_id=whom.organization_id, enabled=verb == "on", ticket=ticket.pk,
            by=by, reason=why,
        )  # fmt: skip
    except saving.Refused as problem:
        return Toast(sentence(problem.fields), "error")
    return told(f"{key} is {verb} for {whom.words} until {ticket.code} is closed", change)


@dataclass(frozen=True)
class Whom:
    """For whom a flag is switched: `words` name them."""

    words: str
    user_id: str = ""
    organization_id: str = ""


def _whom(ticket: Any) -> Whom | None:
    """The customer; who is known by no id, by all of their organization; None where neither has one."""
    known = effective.context(ticket.customer, ticket.organization)
    if user := known["targetingKey"]:
        return Whom(ticket.customer.title, user_id=user)
    if company := known["organizationId"]:
        its = ticket.organization or ticket.customer.organization
        return Whom(f"everybody of {its.name or company}", organization_id=company)
    return None


def _shown(ticket: Any, environment: Environment, flag: Flag) -> Override | None:
    """The override that the page shows of a flag: of the organization too, where that is what was said."""
    found = effective.for_customer(ticket.customer, ticket.organization, environment)
    return next((row.override for row in found if row.flag == flag), None)


def _find(number: int) -> tuple[Any, Environment | None]:
    """The ticket, and where its customer is. 404 for one that is not there."""
    ticket = tickets.ticket(str(number))
    if ticket is None:
        raise Http404
    return ticket, effective.environment_for(ticket.project_id, str(ticket.metadata.get("environment") or ""))


def _words(request: HttpRequest, number: int) -> dict[str, Any]:
    ticket, environment = _find(number)
    found = effective.for_customer(ticket.customer, ticket.organization, environment) if environment else []
    whom = _whom(ticket)
    return {
        "ticket": ticket,
        "whom": whom.words if whom else "",
        "environment": environment,
        "rows": found[:SHOWN],
        "others": found[SHOWN:],
        "here": reverse("flags:of-ticket", args=[number]),
        "ticket_url": reverse("tickets:ticket", args=[number]),
        "may_override": can(request.user, "flags.override") and ticket.status != CLOSED and bool(found),
        "why_needed": preferences.current().flags_require_comment,
        "longest_reason": MAX_REASON,
    }
