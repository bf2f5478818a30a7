"""What the room leaves to be done later."""

from __future__ import annotations

from daytwo_server.core import jobs
from daytwo_server.tickets import services


@jobs.job("tickets.forget")
def forget(customer: int) -> None:
    """Take a customer out of everything that tickets keep, a ticket at a time."""
    services.forget_customer(customer)


@jobs.periodic("7 * * * *")
@jobs.job("tickets.close_resolved")
def close_resolved() -> None:
    """Close tickets that have been resolved for longer than the reopen window."""
    services.close_resolved()
