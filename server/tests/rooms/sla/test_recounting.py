"""Clocks that were kept step by step are those that come out when all of it is counted at once."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools

import make
import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rooms.sla.counting import calendar, promise
from rooms.tickets.test_any_sequence import EVENTS, do

from daytwo_server.core.jobs import run_due_jobs
from daytwo_server.sla import services
from daytwo_server.sla.models import Clock, Policy
from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.services import Impossible

pytestmark = pytest.mark.django_db

START = make.moment("2026-10-23T12:00:00")  # two days before clocks are put back
NAMES = itertools.count()
DERIVED = (
    "ticket", "kind", "round", "state", "ticking", "target_s", "elapsed_s", "started_at", "ended_at", "due_at",
    "warn_at",
)  # fmt: skip


def shown(numbers):
    clocks = Clock.objects.filter(ticket__in=numbers).order_by("ticket", "kind", "round").values(*DERIVED)
    return list(clocks), list(Ticket.objects.filter(pk__in=numbers).order_by("pk").values_list("pk", "due_at"))


@given(events=EVENTS, around_the_clock=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counting_anew_changes_nothing(events, around_the_clock, bob):
    Clock.objects.all().delete()
    Policy.objects.all().delete()  # examples share the test's transaction
    with time_machine.travel(START, tick=False) as traveller:
        office = None if around_the_clock else calendar(f"Office {next(NAMES)}", "Europe/Berlin")
        promise(first=3, following=4, resolved=30, calendar=office)
        ticket = make.ticket()
        other = make.ticket(ticket.customer)
        for hours, what in events:
            traveller.shift(dt.timedelta(hours=hours))
            with contextlib.suppress(Impossible):
                do(ticket, other, what, bob)
            run_due_jobs(tick=False)
        run_due_jobs(tick=False)
        numbers = [ticket.pk, other.pk]
        kept = shown(numbers)
        services.recompute_many(numbers, quiet=False)
        assert shown(numbers) == kept
        Clock.objects.filter(ticket__in=numbers).delete()
        services.recompute_many(numbers, quiet=False)
        assert shown(numbers) == kept
        for row in Clock.objects.filter(ticket__in=numbers):
            assert (row.due_at is not None) == (row.state in ("running", "breached"))
            assert not (row.ticking and row.ended_at)
            assert row.elapsed_s <= row.target_s or row.state == "breached"
