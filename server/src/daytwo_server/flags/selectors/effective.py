"""What the flags are for one customer, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daytwo.flags import Evaluation
from daytwo_server.catalog.models import Environment
from daytwo_server.customers.models import Customer, Organization
from daytwo_server.flags import words
from daytwo_server.flags.models import Flag, Override
from daytwo_server.flags.selectors.listing import in_order
from daytwo_server.flags.selectors.snapshots import in_force, ruleset

MAX_FLAGS = 500


@dataclass(frozen=True)
class Effective:
    """A flag for somebody: the answer, why, and the override that makes it so, if one does."""

    flag: Flag
    answer: Evaluation
    why: str
    override: Override | None = None

    @property
    def shown(self) -> str:
        """The answer in a word."""
        if self.answer.variant is None:
            return "default"
        return ("on" if self.answer.enabled else "off") if self.flag.type == "boolean" else self.answer.variant


def environment_for(project: int | None, name: str = "") -> Environment | None:
    """Where somebody is who uses a project: in the environment they were in, else in production. Without a project,
    where production is if there is one alone. One query.
    """
    shown = Environment.objects.filter(hidden_at=None, project__archived_at=None).select_related("project")
    found = list(shown.filter(project=project) if project else shown.filter(kind=Environment.Kind.PRODUCTION))
    if named := [one for one in found if one.name == name]:
        return named[0] if len(named) == 1 else None
    return in_order(found)[0] if project and found else found[0] if len(found) == 1 else None


def for_customer(customer: Customer, organization: Organization | None, environment: Environment) -> list[Effective]:
    """Every flag for somebody as Daytwo knows them: those with an override first, then those that look at people, then
    the others, each by key. Four queries while no flag changed.
    """
    rules, given = ruleset(environment.pk), context(customer, organization)
    flags = Flag.objects.filter(project=environment.project_id, archived_at=None).order_by("key")[:MAX_FLAGS]
    excepted = _overrides(environment, given)
    found = []
    for flag in flags:
        answer = rules.evaluate(flag.key, given, explain=True)
        decided = next((step for step in answer.steps or [] if step["result"] == "decided"), None)
        why = words.why(decided) if decided else words.ERRORS.get(answer.error or "", "")
        found.append(Effective(flag, answer, why, excepted.get(flag.pk)))
    return sorted(found, key=_rank)


def context(customer: Customer, organization: Organization | None) -> dict[str, Any]:
    """What the app would say of them."""
    company = organization or customer.organization
    return {
        "targetingKey": customer.user_id if customer.key.startswith("id:") else None,
        "organizationId": company.external_id if company else None,
        "plan": customer.plan or (company.plan if company else "") or None,
    }


def _overrides(environment: Environment, given: Mapping[str, Any]) -> dict[int, Override]:
    """By flag, the one of the user before that of the organization."""
    rows = Override.objects.filter(in_force(), state__environment=environment).select_related("state")
    found: dict[int, Override] = {}
    for name, whose in (("organization_id", given["organizationId"]), ("user_id", given["targetingKey"])):
        if whose:
            found |= {one.state.flag_id: one for one in rows.filter(**{name: whose})}
    return found


def _rank(one: Effective) -> tuple[int, str]:
    overridden = one.answer.source in {"user_override", "org_override"}
    return (0 if overridden else 1 if one.answer.reason in {"SPLIT", "TARGETING_MATCH"} else 2), one.flag.key
