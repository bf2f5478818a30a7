"""What flags leave to be done later."""

from __future__ import annotations

from daytwo_server.core import jobs
from daytwo_server.flags import retention
from daytwo_server.flags.services import overrides, ramps


@jobs.periodic("*/5 * * * *")
@jobs.job(ramps.ADVANCE)
def advance_ramps() -> None:
    """Set on every rollout whose step is over. Enqueued for each step's moment; by the clock too, in case of doubt."""
    ramps.advance_due()


@jobs.periodic("23 * * * *")
@jobs.job("flags.drop_expired_overrides")
def drop_expired_overrides() -> None:
    """Delete overrides that are over."""
    overrides.drop_expired()


@jobs.periodic("41 * * * *")
@jobs.job("flags.merge_exposures")
def merge_exposures() -> None:
    """Keep counts by the minute for a day, then by the hour."""
    retention.merge_minutes()
    retention.drop_batches()
