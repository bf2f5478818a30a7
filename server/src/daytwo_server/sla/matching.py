"""Which policy a ticket gets. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from daytwo_server.sla.models import Policy


def ordered(policies: Iterable[Policy]) -> list[Policy]:
    """In the order in which they are asked: those that take everything after all others."""
    return sorted(policies, key=lambda one: (one.takes_all, one.position, one.pk))


def policy_for(priority: str, plan: str, policies: Iterable[Policy]) -> Policy | None:
    """The first that fits. Plans are compared without their case."""
    wanted = plan.casefold()
    for one in ordered(policies):
        plans = [name.casefold() for name in one.plans]
        if (not one.priorities or priority in one.priorities) and (not plans or wanted in plans):
            return one
    return None
