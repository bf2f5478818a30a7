"""The kill switch: off for everybody in an environment, whatever else a flag says."""

from __future__ import annotations

from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Change, State
from daytwo_server.flags.services import saving


def kill(state: State, *, by: Actor, reason: str) -> Change | None:
    """Switch it off; None when it was already. A ramp is held. Raises `Refused` for a reason that is missing or bad."""
    return saving.patch(state.flag, state.environment, {"killed": True}, by=by, reason=reason).change


def revive(state: State, *, by: Actor, reason: str = "") -> Change | None:
    """Have it answer again as it did before; None when it did. A ramp stays held."""
    return saving.patch(state.flag, state.environment, {"killed": False}, by=by, reason=reason).change
