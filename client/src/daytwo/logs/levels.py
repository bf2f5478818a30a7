"""The levels of log lines, and the names that a line keeps for itself."""

DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50
NAMES = {DEBUG: "debug", INFO: "info", WARNING: "warning", ERROR: "error", CRITICAL: "critical"}
RESERVED = frozenset({"timestamp", "level", "message", "logger", "exception"})

_NUMBERS = {name: number for number, name in NAMES.items()} | {"warn": WARNING, "fatal": CRITICAL}


def number_of(name: object) -> int | None:
    """Return the number of a level that somebody wrote, in any case; info for an empty text, None for no level."""
    return _NUMBERS.get(str(name).strip().lower() or "info")
