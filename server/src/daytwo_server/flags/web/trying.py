"""The box that says what somebody would get, and why."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require
from daytwo_server.customers.models import Customer
from daytwo_server.flags import words as wording
from daytwo_server.flags.selectors import effective, snapshots
from daytwo_server.flags.web.common import Place, frame, place
from daytwo_server.ui import htmx

# Not "attributes": a form with a field of that name hides its own attributes from scripts.
FIELDS = ("user", "organization", "plan", "more")
LONGEST = 2000  # characters of a field
MAX_ATTRIBUTES = 50


@require("flags.view")
@require_safe
def try_it(request: HttpRequest, number: int) -> HttpResponse:
    """The answer for `?user=&organization=&plan=&more=`, with every step."""
    found = place(request, number)
    context = {**frame(request, found, page="try"), **words(request, found), "crumb": "Try it", "whole": True}
    return htmx.render(request, "flags/try.html", "flags/_try.html", context)


def words(request: HttpRequest, found: Place) -> dict[str, Any]:
    """What was asked, and the answer if something was."""
    asked = {name: request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST] for name in FIELDS}
    context: dict[str, Any] = {"asked": asked, "answer": None, "try_url": found.url("try")}
    if not any(asked.values()) and "user" not in request.GET:
        return context
    if found.environment is None or found.flag.archived_at:
        return context
    customer = _customer(asked["user"])
    rules = snapshots.ruleset_of(found.environment.pk, found.flag.key)
    evaluation = rules.evaluate(found.flag.key, _context(asked, customer), explain=True)
    steps = evaluation.steps or []
    decisive = next((step for step in steps if step["result"] == "decided"), None)
    return {
        **context,
        "customer": customer,
        "answer": evaluation,
        "value": None if evaluation.variant is None else wording.value(evaluation.value),
        "why": wording.why(decisive) if decisive else "nothing decides",
        "wrong": wording.ERRORS.get(evaluation.error, "") if evaluation.error else "",
        "steps": [wording.told(step) for step in steps],
    }


def _customer(typed: str) -> Customer | None:
    """Who is meant by an id of the SaaS or an e-mail address."""
    if not typed:
        return None
    known = Customer.objects.filter(erased_at=None).select_related("organization")
    called = Q(key=f"id:{typed}") | (Q(email=typed.lower()) if "@" in typed else Q(pk__in=()))
    return known.filter(called).order_by("pk").first()


def _context(asked: dict[str, str], customer: Customer | None) -> dict[str, Any]:
    """What the app would say: of somebody who is known, what is known of them unless something else was typed."""
    known = effective.context(customer, customer.organization) if customer else {}
    given = {
        "targetingKey": known.get("targetingKey") or asked["user"] or None,
        "organizationId": asked["organization"] or known.get("organizationId") or None,
        "plan": asked["plan"] or known.get("plan") or None,
    }
    return {**_attributes(asked["more"]), **given}


def _attributes(text: str) -> dict[str, str]:
    """`country=DE beta=true`, or a line each."""
    pairs = (part.partition("=") for line in text.splitlines() for part in line.split() if "=" in part)
    return {name: value for name, _, value in list(pairs)[:MAX_ATTRIBUTES] if name}
