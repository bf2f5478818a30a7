"""The rest of an event: tables of names and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daytwo_server.errors.web.event.values import as_dict, as_list, block, line

Rows = list[tuple[str, str]]
_USER_ORDER = ("id", "email", "username", "name", "ip_address")


@dataclass(frozen=True, slots=True)
class Request:
    """The HTTP request that failed. `body` is empty when there was none or the SDK does not send it."""

    method: str
    url: str
    query: Rows
    headers: Rows
    cookies: Rows
    env: Rows
    body: str


@dataclass(frozen=True, slots=True)
class Section:
    """A named table, such as one context."""

    name: str
    rows: Rows


def request(event: dict[str, Any]) -> Request | None:
    """None when the event is not about a request."""
    raw = as_dict(event.get("request"))
    if not raw:
        return None
    return Request(
        method=line(raw.get("method")),
        url=line(raw.get("url")),
        query=pairs(raw.get("query_string")),
        headers=pairs(raw.get("headers")),
        cookies=pairs(raw.get("cookies")),
        env=pairs(raw.get("env")),
        body=block(raw["data"]) if raw.get("data") else "",
    )


def user(event: dict[str, Any]) -> Rows:
    """What the event says of its user, what identifies first."""
    raw = as_dict(event.get("user"))
    names = [*(name for name in _USER_ORDER if name in raw), *(name for name in raw if name not in _USER_ORDER)]
    return [(name, block(raw[name])) for name in names if raw[name] not in (None, "")]


def tags(event: dict[str, Any]) -> Rows:
    return sorted((str(name), line(value)) for name, value in as_dict(event.get("tags")).items())


def contexts(event: dict[str, Any]) -> list[Section]:
    """Every context but the flags, which have a list of their own."""
    found = as_dict(event.get("contexts"))
    return [
        Section(str(name), pairs({key: one for key, one in value.items() if (key, one) != ("type", name)}))
        for name, value in sorted(found.items())
        if name != "flags" and isinstance(value, dict)
    ]


def extras(event: dict[str, Any]) -> Rows:
    return pairs(event.get("extra"))


def modules(event: dict[str, Any]) -> Rows:
    """Installed packages by name."""
    return sorted((str(name), line(version)) for name, version in as_dict(event.get("modules")).items())


def sdk(event: dict[str, Any]) -> str:
    raw = as_dict(event.get("sdk"))
    return " ".join(filter(None, [line(raw.get("name")), line(raw.get("version"))]))


def trimmed(event: dict[str, Any]) -> list[str]:
    """What intake cut or corrected, a line each."""
    return [line(note) for note in as_list(event.get("_meta_trimmed"))]


def pairs(value: Any) -> Rows:
    """Names and values of an object, of a list of pairs, or of one text."""
    if isinstance(value, str):
        return [("", value)] if value else []
    if isinstance(value, dict):
        return [(str(name), block(one)) for name, one in value.items() if one is not None]
    return [(line(one[0]), block(one[1])) for one in as_list(value) if isinstance(one, list) and len(one) == 2]
