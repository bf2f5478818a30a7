"""What is promised, and to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.calendars import services as calendars
from daytwo_server.calendars.models import Calendar
from daytwo_server.calendars.selectors import calendars as all_calendars
from daytwo_server.core import audit, clock, jobs
from daytwo_server.core.ref import Ref
from daytwo_server.sla import selectors
from daytwo_server.sla.models import Kind, Policy
from daytwo_server.tickets.models import Priority

MAX_POLICIES = 50
RECOMPUTE = "sla.recompute_open"
_HOUR = 3600
_NINE_TO_FIVE = [(540, 1020)]


class PolicyError(ValueError):
    """It cannot be so; `field` is what to change, the text says why."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class PolicyWords:
    """What a policy says; the fields are those of `Policy`."""

    name: str
    priorities: Sequence[str] = ()
    plans: Sequence[str] = ()
    calendar: Calendar | None = None
    first_response_s: int | None = None
    next_response_s: int | None = None
    resolution_s: int | None = None


def create_policy(words: PolicyWords, *, actor: User | None) -> Policy:
    """It is asked after those that are there. Raises `PolicyError`."""
    with transaction.atomic():
        _checked(words, None)
        known = selectors.policies()
        if len(known) >= MAX_POLICIES:
            raise PolicyError("name", f"There are {MAX_POLICIES} policies already; change one of them.")
        position = max((one.position for one in known), default=0) + 1
        made = Policy.objects.create(position=position, since=clock.now(), **_values(words))
        _note("created", made, actor=actor, after=_told(made))
    return made


def change_policy(policy: Policy, words: PolicyWords, *, actor: User | None) -> None:
    """Say everything anew; tickets that are not resolved are counted anew. Raises `PolicyError`."""
    with transaction.atomic():
        held = Policy.objects.select_for_update().get(pk=policy.pk)
        _checked(words, held)
        before, values = _told(held), _values(words)
        if all(getattr(held, name) == value for name, value in values.items()):
            return
        for name, value in values.items():
            setattr(held, name, value)
        held.since = clock.now()
        held.save()
        _note("changed", held, actor=actor, before=before, after=_told(held))


def move_policy(policy: Policy, *, up: bool, actor: User | None) -> bool:
    """Have it asked before the one before it, or after the one after it; False when there is none."""
    with transaction.atomic():
        order = [one for one in selectors.policies() if one.takes_all == policy.takes_all]
        place = next((number for number, one in enumerate(order) if one.pk == policy.pk), None)
        goal = None if place is None else place - 1 if up else place + 1
        if place is None or goal is None or not 0 <= goal < len(order):
            return False
        order[place], order[goal] = order[goal], order[place]
        for number, one in enumerate(order, 1):
            Policy.objects.filter(pk=one.pk).update(position=number)
        _note("moved", policy, actor=actor, after={"up": up})
    return True


def archive_policy(policy: Policy, *, archived: bool, actor: User | None) -> None:
    """Promise it no more, or again. Raises `PolicyError` when another one has taken its place meanwhile."""
    with transaction.atomic():
        if not archived and policy.takes_all:
            _only_one_for_all(policy)
        found = Policy.objects.filter(pk=policy.pk, archived_at__isnull=archived)
        if found.update(archived_at=clock.now() if archived else None, since=clock.now()):
            _note("archived" if archived else "restored", policy, actor=actor)


def create_usual(*, time_zone: str, actor: User) -> None:
    """The promises that most teams begin with. Those not urgent go by the first calendar, or by nine to five."""
    with transaction.atomic():
        if selectors.policies():
            return
        office = next(iter(all_calendars()), None) or calendars.create_calendar(
            calendars.CalendarWords(
                name="Office hours", time_zone=time_zone, week=dict.fromkeys(range(5), _NINE_TO_FIVE)
            ),
            actor=actor,
        )
        for name, priorities, calendar, hours in (
            ("Urgent", [Priority.URGENT], None, (1, 2, 8)),
            ("High", [Priority.HIGH], office, (4, 4, 16)),
            ("Everything else", [], office, (8, 8, 40)),
        ):
            first, following, resolution = (number * _HOUR for number in hours)
            create_policy(
                PolicyWords(
                    name=name, priorities=[str(one) for one in priorities], calendar=calendar,
                    first_response_s=first, next_response_s=following, resolution_s=resolution,
                ),
                actor=actor,
            )  # fmt: skip


def _checked(words: PolicyWords, policy: Policy | None) -> None:
    if words.first_response_s is None and words.next_response_s is None and words.resolution_s is None:
        raise PolicyError("first_response", "Promise at least one of the three.")
    if not words.priorities and not words.plans:
        _only_one_for_all(policy)


def _only_one_for_all(policy: Policy | None) -> None:
    other = next((one for one in selectors.policies() if one.takes_all and (not policy or one.pk != policy.pk)), None)
    if other:
        raise PolicyError(
            "priorities",
            f"{other.name} takes everything already, so this would never be asked. Name priorities or plans.",
        )


def _values(words: PolicyWords) -> dict[str, Any]:
    return {
        "name": words.name,
        "priorities": list(words.priorities),
        "plans": list(words.plans),
        "calendar": words.calendar,
        "first_response_s": words.first_response_s,
        "next_response_s": words.next_response_s,
        "resolution_s": words.resolution_s,
    }


def _told(policy: Policy) -> dict[str, Any]:
    targets = {f"{kind}_s": getattr(policy, f"{kind}_s") for kind in Kind}
    return {"name": policy.name, "priorities": policy.priorities, "calendar": policy.calendar_id, **targets}


def _note(verb: str, policy: Policy, *, actor: User | None, before: Any = None, after: Any = None) -> None:
    """What is promised has changed: the audit log says so, and tickets are counted anew."""
    audit.record(f"sla:policy:{verb}", actor=actor, ref=Ref("sla_policy", policy.pk), before=before, after=after)
    jobs.enqueue(RECOMPUTE, unique_key=RECOMPUTE)
