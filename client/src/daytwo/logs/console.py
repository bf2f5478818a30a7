"""The readable form of a log line, for a person at a terminal."""

import re
from typing import Any

from daytwo._wire import dump

_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
# Line breaks, escape sequences and text-direction marks could forge lines or drive the terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BARE = re.compile(r"[^\s=\"]+")


def render(record: dict[str, Any], *, colour: bool) -> str:
    """Return `time LEVEL logger: message key=value ...`, an exception on indented lines below it."""
    fields = dict(record)
    level, message = fields.pop("level"), fields.pop("message")
    clock = fields.pop("timestamp")[11:]
    logger, exception = fields.pop("logger"), fields.pop("exception", None)
    shown = "".join(f" {_paint('2', _quiet(key) + '=', colour=colour)}{_value(value)}" for key, value in fields.items())
    painted = _paint(_COLOURS[level], f"{level.upper():8}", colour=colour)
    lines = [f"{clock} {painted} {_quiet(logger)}: {_quiet(message)}{shown}"]
    while exception:
        lines += [f"    {_quiet(f['file'])}:{f['line']} in {_quiet(f['function'])}" for f in exception["stacktrace"]]
        lines.append(f"  {_quiet(exception['type'])}: {_quiet(exception['message'])}")
        lines += [
            f"  | {_quiet(member['type'])}: {_quiet(member['message'])}" for member in exception.get("members", ())
        ]
        exception = exception.get("cause")
        if exception:
            lines.append("  caused by")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    return _quiet(value if isinstance(value, str) and _BARE.fullmatch(value) else dump(value).decode())


def _quiet(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _paint(code: str, text: str, *, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
