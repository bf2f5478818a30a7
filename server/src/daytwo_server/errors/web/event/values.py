"""JSON values as text."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

LONGEST = 1000
CUT = "…"


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of `{"values": [...]}`."""
    return [one for one in as_list(as_dict(value).get("values")) if isinstance(one, dict)]


def line(value: Any) -> str:
    """Any value as one short line; empty for null."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else variable(value, python=False)
    return cut(" ".join(text.split()))


def cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[:longest] + CUT


def variable(value: Any, *, python: bool) -> str:
    """A local variable. The Python SDK sends texts that are Python's own repr already; others send plain values."""
    return cut(_python(value) if python else value if isinstance(value, str) else _json(value))


def block(value: Any) -> str:
    """A value on as many lines as it needs: texts as they are, structures indented."""
    if isinstance(value, str):
        return cut(value, 10 * LONGEST)
    if isinstance(value, dict | list) and value:
        return cut(_json(value, indent=2), 10 * LONGEST)
    return _json(value)


def moment(value: Any) -> dt.datetime | None:
    """Unix seconds as a time."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _python(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key!r}: {_python(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_python, value)) + "]"
        case str():
            return value
        case _:
            return repr(value)


def _json(value: Any, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)
