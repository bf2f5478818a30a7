"""Policies, and the clocks of tickets."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from daytwo_server.calendars.hours import NoWorkingTime, opening
from daytwo_server.calendars.selectors import hours
from daytwo_server.core import clock, sql
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.stores import DEFAULT
from daytwo_server.sla.clocks import Happened
from daytwo_server.sla.matching import ordered, policy_for
from daytwo_server.sla.models import Clock, Kind, Policy, State
from daytwo_server.tickets.models import Message, Priority, Status, Ticket
from daytwo_server.tickets.promises import Promise

ANY_PLAN = ""
_IN_FORCE = Prepared[Policy](lambda: Policy.objects.filter(archived_at=None).select_related("calendar"))
_ARCHIVED = Prepared[Policy](lambda: Policy.objects.exclude(archived_at=None).select_related("calendar"))
JUST_NOW = dt.timedelta(minutes=15)
_CLOCKS = Prepared[Clock](
    lambda tickets: (
        Clock.objects.filter(ticket__in=tickets).select_related("policy").order_by("ticket", "kind", "round")
    )
)


def policies(*, archived: bool = False) -> list[Policy]:
    """Those in force in the order in which they are asked, or those that were put away. One query."""
    return ordered(_ARCHIVED() if archived else _IN_FORCE())


def policy(pk: int) -> Policy | None:
    return Policy.objects.filter(pk=pk).select_related("calendar").first()


def plan_of(ticket: Ticket) -> str:
    """The plan that counts: the customer's own, else that of the organization. For a ticket loaded with both."""
    return ticket.customer.plan or (ticket.organization.plan if ticket.organization else "")


def table(found: Sequence[Policy]) -> list[tuple[str, list[Priority], Policy | None]]:
    """For every plan that a policy names, and for all others (the empty text), which priorities get which policy."""
    named = {plan.casefold(): plan for one in found for plan in one.plans}
    rows: list[tuple[str, list[Priority], Policy | None]] = []
    for plan in [*(named[key] for key in sorted(named)), ANY_PLAN]:
        for priority in reversed(Priority):
            policy = policy_for(priority, plan, found)
            if rows and (rows[-1][0], rows[-1][2]) == (plan, policy):
                rows[-1][1].append(priority)
            else:
                rows.append((plan, [priority], policy))
    return rows


@dataclass(frozen=True)
class History:
    """A ticket with those merged into it, as `clocks.read` takes it. `joined_at` is when the last of them came."""

    opened_at: dt.datetime
    happened: list[Happened]
    joined_at: dt.datetime | None


def history(ticket: Ticket) -> History:
    """What counts of what happened in a ticket, in its order: not what a machine of the customer wrote. Two queries."""
    merged = Ticket.objects.filter(merged_into=ticket.pk, customer=ticket.customer_id)
    parts = {pk: (opened, joined) for pk, opened, joined in merged.values_list("pk", "created_at", "closed_at")}
    counts = Q(kind=Message.Kind.PUBLIC) | ~Q(after="")
    rows = Message.objects.filter(counts, ticket__in=[ticket.pk, *parts]).exclude(mailed__automatic=True)
    found: list[Happened] = []
    begun: set[int] = set()
    for of, at, author, after in rows.order_by("pk").values_list("ticket", "created_at", "author_type", "after"):
        one = Happened(at, after=after, of=of) if after else Happened(at, by=author, of=of)
        if of in begun:
            found.append(one)
        else:  # its first words come before what they lead to, as those of a reply do
            opened_now = Happened(at, after=Status.OPEN, of=of)
            found += [opened_now, one] if after else [one, opened_now]
            begun.add(of)
    opened = min([ticket.created_at, *(opened for opened, _ in parts.values())])
    return History(opened, found, max((joined for _, joined in parts.values() if joined), default=None))


def clocks(ticket: int) -> list[Clock]:
    """All of a ticket, older rounds too."""
    return list(Clock.objects.filter(ticket=ticket).order_by("pk"))


def next_moment() -> dt.datetime | None:
    """When there is something to tell next."""
    return Clock.objects.filter(next_at__isnull=False).order_by("next_at").values_list("next_at", flat=True).first()


def due_tickets(now: dt.datetime, *, most: int) -> list[int]:
    """The tickets of which there is something to tell now, the longest overdue first."""
    found = Clock.objects.filter(next_at__lte=now).order_by("next_at").values_list("ticket", flat=True)[:most]
    return list(dict.fromkeys(found))


def promises(tickets: Collection[int]) -> Mapping[int, Sequence[Promise]]:
    """For `tickets.promises`: the latest clock of each kind. One query."""
    found: dict[int, dict[str, Promise]] = defaultdict(dict)
    for row in _CLOCKS(list(tickets)):
        found[row.ticket_id][row.kind] = _promise(row)
    return {number: [kinds[kind] for kind in Kind if kind in kinds] for number, kinds in found.items()}


def _promise(row: Clock) -> Promise:
    return Promise(
        kind=row.kind,
        label=Kind(row.kind).label,
        state=row.state,
        policy=row.policy.name if row.policy else "",
        target=dt.timedelta(seconds=row.target_s),
        elapsed=dt.timedelta(seconds=row.elapsed_s),
        remaining=row.remaining,
        started_at=row.started_at,
        due_at=row.due_at,
        warn_at=row.warn_at,
        ended_at=row.ended_at,
    )


def is_late(ticket: int) -> bool:
    """Whether the answer to a promise that was missed is still to come."""
    return Clock.objects.filter(ticket=ticket, state=State.BREACHED, ticking=True).exists()


def at_risk_until(ticket: int, kind: str) -> dt.datetime | None:
    """When the running promise of this kind runs out, four fifths of whose time are over; None when there is none."""
    now = clock.now()
    running = Clock.objects.filter(ticket=ticket, kind=kind, state=State.RUNNING, ticking=True)
    return running.filter(warn_at__lte=now, due_at__gt=now).values_list("due_at", flat=True).first()


def warn_at(ticket: int, kind: str) -> dt.datetime | None:
    """When four fifths of the time of the latest promise of this kind are over."""
    return Clock.objects.filter(ticket=ticket, kind=kind).order_by("-round").values_list("warn_at", flat=True).first()


def may_disturb_at(ticket: int, clock_kind: str, moment: dt.datetime) -> dt.datetime:
    """When whoever looks after the ticket may be told of what was so at a moment: at once while people work, and always
    when it is urgent; else when work begins again. What was so just now was so in working time.
    """
    now = clock.now()
    row = (
        Clock.objects.filter(ticket=ticket, kind=clock_kind)
        .select_related("ticket", "policy")
        .order_by("-round")
        .first()
    )
    if row is None or row.policy is None or row.ticket.priority == Priority.URGENT or now - moment < JUST_NOW:
        return now
    try:
        return opening(hours([row.policy.calendar_id])[row.policy.calendar_id], now)
    except NoWorkingTime:
        return now


def breached() -> Q:
    """Tickets about which a promise was missed, whether or not the answer has come since."""
    return Q(pk__in=Clock.objects.filter(state=State.BREACHED).values("ticket"))


def at_risk() -> Q:
    """Tickets with a promise that can still be kept, though four fifths of its time are over."""
    running = Clock.objects.filter(state=State.RUNNING, warn_at__lte=clock.now(), due_at__gt=clock.now())
    return Q(pk__in=running.values("ticket"))


@dataclass(frozen=True)
class Kept:
    """How a kind of promise was kept in a stretch of time: answers that came in it.

    `within` are those that came in time, `late` those that did not; `wall_s` are their durations by the wall clock and
    `working_s` in working time, both in seconds and sorted.
    """

    within: int
    late: int
    wall_s: Sequence[int]
    working_s: Sequence[int]

    @property
    def share(self) -> float | None:
        """In percent."""
        total = self.within + self.late
        return self.within * 100 / total if total else None


def kept(since: dt.datetime, until: dt.datetime, *, spread: bool = True) -> dict[str, Kept]:
    """By kind. A few statements, which read an index alone. Without `spread` there is no `working_s`.

    Durations by the wall clock are told of next replies: those of the others are the tickets' own.
    """
    inside = "FROM sla_clock WHERE ended_at >= %s AND ended_at < %s"
    counts = sql.fetch(DEFAULT, f"SELECT kind, state, COUNT(*) {inside} GROUP BY kind, state", [since, until])
    count = {(kind, state): number for kind, state, number in counts}

    def seconds(column: str, kind: Kind) -> list[int]:
        rows = sql.fetch(DEFAULT, f"SELECT {column} {inside} AND kind = %s", [since, until, kind.value])
        return sorted(value for (value,) in rows)

    return {
        kind.value: Kept(
            within=count.get((kind.value, State.MET.value), 0),
            late=count.get((kind.value, State.BREACHED.value), 0),
            wall_s=seconds("wall_s", kind) if kind == Kind.NEXT_RESPONSE else (),
            working_s=seconds("elapsed_s", kind) if spread else (),
        )
        for kind in Kind
    }
