"""Keeping the clocks of a ticket as its messages say, and telling others of what they show, once each."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from daytwo_server.calendars.selectors import hours
from daytwo_server.core import clock, facts, jobs
from daytwo_server.core.trouble import is_trouble
from daytwo_server.sla import selectors
from daytwo_server.sla.clocks import Promise, Reading, read
from daytwo_server.sla.facts import SlaBreached, SlaWarned
from daytwo_server.sla.matching import policy_for
from daytwo_server.sla.models import Clock, Kind, Policy, Standing, State
from daytwo_server.sla.selectors import History
from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.services.common import TicketGone, held
from daytwo_server.tickets.services.promising import set_due

log = logging.getLogger(__name__)

TELL = "sla.tell"
CHUNK = 200
_SLACK = dt.timedelta(seconds=1)  # what is due now and stays so is looked at again, and not at once for ever
_FIELDS = (
    "policy_id", "state", "ticking", "target_s", "elapsed_s", "wall_s", "started_at", "ended_at", "due_at", "warn_at",
    "warned_at", "breached_at", "next_at",
)  # fmt: skip


def recompute(number: int, *, quiet: bool = False) -> None:
    """Make the clocks of a ticket what its messages say now, and tell of warnings and breaches that nobody knows of.

    May be run at any time and any number of times. With `quiet` what is over already is told to nobody: it is so
    because a promise was changed. A ticket that is gone has no clocks.
    """
    if not selectors.policies() and not Clock.objects.filter(ticket=number).exists():
        return
    try:
        with transaction.atomic():
            ticket = held(number)  # the lock: two processes tell once
            _recompute(ticket, selectors.policies(), quiet=quiet)  # asked again: they may have changed while it waited
    except TicketGone:
        return


def recompute_many(tickets: Iterable[int], *, quiet: bool) -> int:
    """`recompute` each, in a transaction of its own; returns how many. One that cannot be counted keeps no other from
    it, and is raised at the end.
    """
    count, problem = 0, None
    for number in tickets:
        try:
            recompute(number, quiet=quiet)
        except Exception as error:
            if is_trouble(error):
                raise
            log.exception("The promises of ticket %d could not be counted.", number)
            problem = problem or error
        count += 1
    if problem is not None:
        raise problem
    return count


def tell_due() -> None:
    """Tell of every warning and breach whose time has come, and set the timer for the next."""
    while numbers := selectors.due_tickets(clock.now(), most=CHUNK):
        recompute_many(numbers, quiet=False)
        if selectors.due_tickets(clock.now(), most=CHUNK) == numbers:
            break  # nothing moved; the timer comes back to them
    _set_timer(selectors.next_moment())


def _recompute(ticket: Ticket, policies: Sequence[Policy], *, quiet: bool) -> None:
    now = clock.now()
    policy = policy_for(ticket.priority, selectors.plan_of(ticket), policies)
    history = selectors.history(ticket)
    since = _known_since(ticket, policy, history, now)
    readings = _readings(ticket, policy, history, now)
    rows = {(row.kind, row.round): row for row in selectors.clocks(ticket.pk)}
    before = {key: _values(row) for key, row in rows.items()}
    told: list[object] = []
    kept = {}
    for reading in readings:
        row = rows.get((reading.kind, reading.round)) or Clock(
            ticket=ticket, kind=reading.kind, round=reading.round, started_at=reading.started_at
        )
        if not _is_settled(row, reading):
            _take(row, reading, policy)
            told += _tell(row, since, now, quiet=quiet)
        kept[row.kind, row.round] = row
    changed = {key: row for key, row in kept.items() if _values(row) != before.get(key)}
    elsewhere = ticket.merged_into_id is not None  # then what has ended is counted there, too
    gone = [row for key, row in rows.items() if key not in kept and (elsewhere or row.ended_at is None)]
    _write(changed.values(), gone)
    due_at = min((row.due_at for row in kept.values() if row.ticking and row.due_at), default=None)
    if changed or gone or due_at != ticket.due_at:
        set_due(ticket.pk, due_at)
    facts.record(*told)
    _set_timer(min((row.next_at for row in kept.values() if row.next_at), default=None))


def _known_since(ticket: Ticket, policy: Policy | None, history: History, now: dt.datetime) -> dt.datetime:
    """Since when anybody could know what is promised about this ticket: since the policy says so, the ticket goes by
    it, and what was asked in another one is asked here.
    """
    pk = policy.pk if policy else None
    known = Standing.objects.filter(ticket=ticket).first()
    if known is None:
        known = Standing.objects.create(ticket=ticket, policy=policy, since=ticket.created_at)
    elif known.policy_id != pk:
        known.policy_id, known.since = pk, now
        known.save(update_fields=["policy", "since"])
    moments = [known.since, policy.since if policy else None, history.joined_at]
    return max(one for one in moments if one is not None)


def _readings(ticket: Ticket, policy: Policy | None, history: History, now: dt.datetime) -> list[Reading]:
    if policy is None or ticket.merged_into_id is not None:
        return []
    targets = {kind.value: target for kind in Kind if (target := policy.target(kind)) is not None}
    promise = Promise(hours([policy.calendar_id])[policy.calendar_id], targets)
    return read(history.opened_at, history.happened, promise, now)


def _is_settled(row: Clock, reading: Reading) -> bool:
    """What has ended is judged by what was promised then: a later change of priority or policy is no new verdict."""
    ended = row.pk is not None and row.ended_at is not None
    return ended and (row.started_at, row.ended_at) == (reading.started_at, reading.ended_at)


def _take(row: Clock, reading: Reading, policy: Policy | None) -> None:
    row.policy_id = policy.pk if policy else None
    row.state, row.ticking = reading.state, reading.ticking
    row.target_s, row.elapsed_s = int(reading.target.total_seconds()), int(reading.elapsed.total_seconds())
    row.started_at, row.ended_at = reading.started_at, reading.ended_at
    row.wall_s = int((row.ended_at - row.started_at).total_seconds()) if row.ended_at else None
    row.due_at, row.warn_at = reading.due_at, reading.warn_at


def _tell(row: Clock, since: dt.datetime, now: dt.datetime, *, quiet: bool) -> list[object]:
    """The facts that are new, and when there will be one next. What no longer is so may be told again, and of what was
    over before `since` nobody is told.
    """
    is_breached = row.state == State.BREACHED
    is_warned = is_breached or (row.warn_at is not None and row.warn_at <= now and not row.ended_at)
    new_breach, new_warning = is_breached and not row.breached_at, is_warned and not row.warned_at
    row.breached_at = (row.breached_at or now) if is_breached else None
    row.warned_at = (row.warned_at or now) if is_warned else None
    row.next_at = None
    if row.ticking and not is_breached:
        row.next_at = row.due_at if is_warned else row.warn_at
    if quiet or row.due_at is None or (is_breached and row.due_at < since):
        return []
    if new_breach:
        return [SlaBreached(ticket=row.ticket_id, clock=row.kind, due_at=row.due_at)]
    return [SlaWarned(ticket=row.ticket_id, clock=row.kind, due_at=row.due_at)] if new_warning else []


def _values(row: Clock) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _FIELDS)


def _write(changed: Iterable[Clock], gone: Sequence[Clock]) -> None:
    """Rows of what is not promised any more go, unless they have ended: those are history."""
    if gone:
        Clock.objects.filter(pk__in=[row.pk for row in gone]).delete()
    new: list[Clock] = []
    known: list[Clock] = []
    for row in changed:
        (new if row.pk is None else known).append(row)
    if new:
        Clock.objects.bulk_create(new)
    if known:
        Clock.objects.bulk_update(known, _FIELDS)


def _set_timer(moment: dt.datetime | None) -> None:
    """Have the next thing told in its moment. One job waits for all tickets, at the soonest time that was asked for."""
    if moment is not None:
        jobs.enqueue(TELL, run_at=max(moment, clock.now() + _SLACK), unique_key=TELL)
