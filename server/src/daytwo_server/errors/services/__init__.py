"""Every write of the errors room."""

from daytwo_server.errors.services.absorb import absorb, announce, store_bodies
from daytwo_server.errors.services.triage import NotAMember, assign, ignore, resolve, undo, unresolve

__all__ = ["NotAMember", "absorb", "announce", "assign", "ignore", "resolve", "store_bodies", "undo", "unresolve"]
