"""Mail becomes tickets. Who may speak in one by mail, and why, is told in docs/why/mail-in-tickets.md."""

from daytwo_server.tickets.incoming.receiver import receive

__all__ = ["receive"]
