"""What an answer does to its ticket."""

from __future__ import annotations

from daytwo_server.tickets.models import Status

SEND = "tickets.send"  # in the session: what somebody last had happen to a ticket with their answer
SENDS = {
    Status.WAITING_CUSTOMER: "Send, wait for customer",
    Status.IN_PROGRESS: "Send, keep working on it",
    Status.RESOLVED: "Send and resolve",
}
