"""Every write about promises. Whoever calls has already asked `permissions.can`."""

from daytwo_server.sla.services.clocks import recompute, recompute_many, tell_due
from daytwo_server.sla.services.policies import (
    PolicyError,
    PolicyWords,
    archive_policy,
    change_policy,
    create_policy,
    create_usual,
    move_policy,
)

__all__ = [
    "PolicyError", "PolicyWords", "archive_policy", "change_policy", "create_policy", "create_usual", "move_policy",
    "recompute", "recompute_many", "tell_due",
]  # fmt: skip
