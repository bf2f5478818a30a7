"""Makes errors happen: events go through the same preparing and storing as those from the spool."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction

from daytwo_server.catalog import services as catalog
from daytwo_server.catalog.models import Project
from daytwo_server.core import clock
from daytwo_server.customers import services as customers
from daytwo_server.customers.identity import key_of
from daytwo_server.customers.selectors import user_key
from daytwo_server.errors import services
from daytwo_server.errors.models import Event, Issue
from daytwo_server.errors.prepare import Arrival, Prepared, prepare

FIXTURES = Path(__file__).parents[2] / "fixtures" / "sentry"
_sequence = itertools.count(1)


def payload(type_: str = "KeyError", value: str = "'vat_id'", **fields: Any) -> dict[str, Any]:
    """What a Python app would send about an exception in one function of its own, called by a framework."""
    frames = [
        {"filename": "django/core/handlers/base.py", "module": "django.core.handlers.base", "function": "_get_response",
         "lineno": 197, "in_app": False},
        {"filename": "billing/checkout.py", "module": "billing.checkout", "function": fields.pop("function", "price"),
         "lineno": 118, "in_app": True, "pre_context": ["def price(customer, net):", "    rates = RATES"],
         "context_line": "    valid = check(customer['vat_id'])", "post_context": ["    return net"],
         "vars": {"country": "'DE'", "customer": {"id": "88213"}}},
    ]  # fmt: skip
    exception = {"type": type_, "value": value, "mechanism": {"type": "django", "handled": False}}
    return {
        "platform": "python",
        "exception": {"values": [{**exception, "stacktrace": {"frames": frames}}]},
        "sdk": {"name": "sentry.python", "version": "2.75.0"},
        **fields,
    }


def send(project: Project, *payloads: dict[str, Any] | bytes, at: dt.datetime | None = None) -> list[Prepared]:
    """Store events (bytes: as they come over the wire) as the digest does, received at `at` (default: now).

    Returns those that were new.
    """
    received = (at or clock.now()).timestamp()
    prepared = []
    for one in payloads:
        arrival = Arrival(
            project=project.pk, segment=1, sequence=next(_sequence), received=received, sent_at=None, event_id=None,
            client_ip="203.0.113.9", sdk="sentry.python/2.75.0",
            payload=one if isinstance(one, bytes) else msgspec.json.encode(one),
        )  # fmt: skip
        prepared.append(prepare(arrival, scrubbing=True))
    kept = services.store_bodies(prepared)
    with transaction.atomic():
        known = customers.see(
            customers.Sighting(
                key=key,
                project=project.pk,
                at=event.received,
                email=event.user.get("email"),
                name=event.user.get("name"),
            )
            for event in kept
            if (key := key_of(event.user))
        )
        for event in kept:
            event.user_key = user_key(event.user, event.arrival.client_ip)
            event.customer = known.get(key_of(event.user) or "")
        catalog.see(
            catalog.Sighting(
                project=project.pk, at=event.received, environment=event.environment, release=event.release
            )
            for event in kept
        )
        return services.absorb(kept)


def issue(
    project: Project, type_: str = "KeyError", value: str = "'vat_id'", *, at: dt.datetime | None = None, **fields: Any
) -> Issue:
    """One issue by one event; `fields` are those of the event."""
    (event,) = send(project, payload(type_, value, **({"function": type_.lower()} | fields)), at=at)
    return Issue.objects.get(pk=event.issue)


def event_of(one: Issue) -> Event:
    """The latest event of an issue."""
    return Event.objects.filter(issue=one).order_by("-timestamp", "-pk")[0]


def captured() -> list[Any]:
    """The names of the captured envelopes that hold an event."""
    return sorted(path.stem for path in FIXTURES.glob("*.envelope") if captured_event(path.stem))


def captured_event(name: str) -> dict[str, Any] | None:
    """The event item of a captured envelope."""
    data = (FIXTURES / f"{name}.envelope").read_bytes()
    _, _, rest = data.partition(b"\n")
    while rest:
        head, _, rest = rest.partition(b"\n")
        if not head:
            continue
        header = msgspec.json.decode(head)
        length = header.get("length")
        if length is None:
            body, _, rest = rest.partition(b"\n")
        else:
            body, rest = rest[:length], rest[length:].lstrip(b"\n")
        if header["type"] == "event":
            found: dict[str, Any] = msgspec.json.decode(body)
            return found
    return None


def section(page, title):
    """The card with this heading."""
    cards = [card for card in page.split("<section") if re.search(rf"<h2[^>]*>{title}", card)]
    assert cards, f"no section {title}"
    return cards[0]
