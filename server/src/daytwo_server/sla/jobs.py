"""What the room does later, and by the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import QuerySet

from daytwo_server.core import jobs
from daytwo_server.sla import selectors, services
from daytwo_server.sla.models import Kind
from daytwo_server.tickets import services as tickets
from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.place import DONE

CHUNK = 500


@jobs.periodic("* * * * *")
@jobs.job(services.clocks.TELL)
def tell_due() -> None:
    """Tell of promises that run out: in their moment by a timer, and each minute, should a timer ever be lost."""
    services.tell_due()


@jobs.job(services.policies.RECOMPUTE)
def recompute_open() -> None:
    """Count every ticket anew that is not resolved: a promise was changed."""
    services.recompute_many(_numbers(Ticket.objects.filter(place__lt=DONE)), quiet=True)


@jobs.job("sla.recompute_customer")
def recompute_customer(customer: int) -> None:
    """Count the tickets of a customer anew that are not resolved: their plan is another one."""
    services.recompute_many(_numbers(Ticket.objects.filter(customer=customer, place__lt=DONE)), quiet=True)


@jobs.job("sla.mail_lateness", atomic=True)
def mail_lateness(ticket: int, message: int) -> None:
    """Mail whoever looks after a ticket that it is late, if it still is."""
    if selectors.is_late(ticket):
        tickets.tell_of_lateness(message)


@jobs.job("sla.mail_risk", atomic=True)
def mail_risk(ticket: int, kind: str) -> None:
    """Mail who has a ticket that a promise about it runs out, if that can still be kept."""
    if (due_at := selectors.at_risk_until(ticket, kind)) is not None:
        tickets.tell_of_risk(ticket, Kind(kind).label, due_at)


def mail_risk_later(ticket: int, kind: str, at: dt.datetime) -> None:
    """Enqueue `mail_risk` in the current transaction."""
    jobs.enqueue(mail_risk, run_at=at, ticket=ticket, kind=kind)


def mail_lateness_later(ticket: int, message: int, at: dt.datetime) -> None:
    """Enqueue `mail_lateness` in the current transaction."""
    jobs.enqueue(mail_lateness, run_at=at, ticket=ticket, message=message)


def recompute_open_later() -> None:
    """Enqueue `recompute_open` in the current transaction, once for many changes."""
    jobs.enqueue(recompute_open, unique_key=services.policies.RECOMPUTE)


def recompute_customer_later(customer: int) -> None:
    """Enqueue `recompute_customer` in the current transaction."""
    jobs.enqueue(recompute_customer, customer=customer, unique_key=f"sla.recompute_customer:{customer}")


def _numbers(found: QuerySet[Ticket]) -> Iterator[int]:
    """A chunk at a time, by number, so that nothing is held open while tickets are worked on."""
    last = 0
    while numbers := list(found.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        yield from numbers
        last = numbers[-1]
