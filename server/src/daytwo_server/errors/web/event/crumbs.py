"""Breadcrumbs: what happened before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from daytwo_server.errors.web.event.values import as_dict, block, dicts, line, moment

_ICONS = {
    "navigation": "external", "ui": "cursor", "user": "cursor", "touch": "cursor", "http": "globe", "fetch": "globe",
    "xhr": "globe", "httplib": "globe", "requests": "globe", "query": "database", "sql": "database",
    "redis": "database", "console": "logs", "log": "logs", "error": "bug", "exception": "bug", "auth": "key",
    "flag": "flag", "flags": "flag", "sentry": "bug", "subprocess": "code", "session": "users", "cron": "clock",
}  # fmt: skip
_TONES = {"fatal": "major", "error": "major", "warning": "major"}


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step. `data` is everything that came with it and is not said by `message` already."""

    at: dt.datetime | None
    icon: str
    tone: str
    title: str
    message: str
    level: str
    data: list[tuple[str, str]]


def crumbs(event: dict[str, Any]) -> list[Crumb]:
    """In the order they happened."""
    return [_crumb(raw) for raw in dicts(event.get("breadcrumbs"))]


def _crumb(raw: dict[str, Any]) -> Crumb:
    category, kind, level = line(raw.get("category")), line(raw.get("type")), line(raw.get("level"))
    data = raw.get("data")
    fields = dict(data) if isinstance(data, dict) else {"data": data} if data else {}
    message = line(raw.get("message")) or _told_by(fields)
    return Crumb(
        at=moment(raw.get("timestamp")),
        icon=_icon(category, kind),
        tone=_TONES.get(level, ""),
        title=category or kind or "step",
        message=message,
        level="" if level in ("", "info") else level,
        data=[(str(name), block(value)) for name, value in fields.items() if value is not None],
    )


def _told_by(fields: dict[str, Any]) -> str:
    """A sentence for the two kinds that SDKs send with data alone; what it says leaves the data."""
    if isinstance(fields.get("url"), str):
        words = [line(fields.pop(name, None)) for name in ("method", "url", "status_code")]
        return " ".join(filter(None, words))
    if isinstance(fields.get("to"), str) and isinstance(fields.get("from"), str):
        return f"{line(fields.pop('from'))} → {line(fields.pop('to'))}"
    return ""


def _icon(category: str, kind: str) -> str:
    for name in (category, category.partition(".")[0], kind):
        if name in _ICONS:
            return _ICONS[name]
    return "info"


def flags(event: dict[str, Any]) -> list[tuple[str, str]]:
    """Feature flags in the order they were asked, with what they answered."""
    found = dicts(as_dict(event.get("contexts")).get("flags"))
    return [(line(one.get("flag")) or "?", _answer(one.get("result"))) for one in found]


def _answer(result: Any) -> str:
    return ("on" if result else "off") if isinstance(result, bool) else line(result)
