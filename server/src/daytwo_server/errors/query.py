"""The words of the error list's search: which keys have fixed values, and what else keys are called."""

from __future__ import annotations

from daytwo_server.core import query

STATUSES = ("unresolved", "ignored", "resolved")
STATES = (*STATUSES, "regressed", "unhandled", "handled", "assigned", "unassigned")
LEVELS = ("fatal", "error", "warning", "info", "debug")
_ALIASES = {"env": "environment", "assignee": "assigned", "owner": "assigned"}


def parse(text: str) -> query.Query:
    """`core.query.parse` with the names that keys have here."""
    return query.parse(text, _ALIASES)
