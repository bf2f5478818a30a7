from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class CustomerPlanChanged:
    """The SaaS says that a customer is on another plan, or belongs to another organization, which may have one."""

    customer: int


@fact
@dataclass(frozen=True)
class CustomerErased:
    """Everything personal about a customer is to be forgotten: rooms that keep more than the id drop theirs."""

    customer: int
