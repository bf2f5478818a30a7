"""What the pages of customers leave to be done later."""

from __future__ import annotations

import datetime as dt

from daytwo_server.core import jobs
from daytwo_server.portal import services


def ask_later(ticket: int) -> None:
    """Enqueue `ask` for when it is due, in the current transaction: a row that outlives every process."""
    due = services.due_at(ticket)
    if due is None:
        return
    resolved_at, run_at = due
    key = f"portal.ask.{ticket}.{resolved_at.isoformat()}"
    jobs.enqueue(ask, unique_key=key, run_at=run_at, ticket=ticket, resolved_at=resolved_at.isoformat())


@jobs.job("portal.ask", atomic=True)
def ask(ticket: int, resolved_at: str) -> None:
    """Ask a customer how it went. The mail is queued in the transaction that ends the job."""
    services.ask(ticket, dt.datetime.fromisoformat(resolved_at))


@jobs.periodic("17 * * * *")
@jobs.job("portal.sweep")
def sweep() -> None:
    """Remove sessions and links that have ended."""
    services.sweep()
