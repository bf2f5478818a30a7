"""Single values out of JSON that may hold anything."""

from datetime import UTC, datetime
from typing import Any

MAX_SHORT = 200  # characters of names, tags and releases: what becomes an indexed column
CUT = "…"


def clean(value: str) -> str:
    """The same text without what a database or an encoder refuses: NUL, and lone surrogates (JavaScript cuts emoji)."""
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode()
    return value.replace("\x00", "") if "\x00" in value else value


def text_of(value: Any, *, limit: int = MAX_SHORT) -> str | None:
    """A scalar as text of at most `limit` characters; None for null, empty text, lists and objects."""
    if type(value) is str:
        text = clean(value[:limit])
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int):
        # str() of an int beyond 4300 digits raises.
        text = str(value) if value.bit_length() < 1024 else CUT
    elif isinstance(value, float):
        text = repr(value)
    else:
        return None
    return text or None


def unix_seconds(value: Any) -> float | None:
    """A point in time out of unix seconds, milliseconds or RFC 3339 text (UTC if it names no zone); else None."""
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Beyond the year 5138 in seconds: those are milliseconds.
    seconds = value / 1000 if 1e11 < value < 1e15 else value
    return float(seconds) if 0 < seconds < 1e11 else None


def _from_text(value: str) -> float | None:
    try:
        if value[:1].isdigit() and "-" not in value:
            return unix_seconds(float(value))
        moment = datetime.fromisoformat(value[:40])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def pairs_of(value: Any) -> list[tuple[Any, Any]]:
    """Key-value pairs out of the shapes SDKs use: an object, `[[key, value], ...]` or `[{"key":, "value":}, ...]`."""
    if isinstance(value, dict):
        return list(value.items())
    if not isinstance(value, list):
        return []
    pairs: list[tuple[Any, Any]] = []
    for item in value:
        if isinstance(item, list) and len(item) == 2:
            pairs.append((item[0], item[1]))
        elif isinstance(item, dict) and "key" in item:
            pairs.append((item["key"], item.get("value")))
    return pairs
