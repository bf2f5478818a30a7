"""Where Daytwo itself is, for what speaks to it beyond reporting errors."""

from __future__ import annotations

import os
import urllib.parse
from typing import NamedTuple


class Server(NamedTuple):
    """`url` has no slash at its end. `key` is the secret server key; either is empty where it is not known."""

    url: str
    key: str

    def __repr__(self) -> str:
        return f"Server(url={self.url!r})"  # without the key


def server(dsn: str | None = None) -> Server:
    """Return DAYTWO_URL, else where the DSN (default SENTRY_DSN) points to, and DAYTWO_KEY.

    A DSN is public and may stand in any browser, so the key never comes from there. Never raises.
    """
    url = os.environ.get("DAYTWO_URL", "").rstrip("/")
    return Server(url or _origin(dsn or os.environ.get("SENTRY_DSN", "")), os.environ.get("DAYTWO_KEY", ""))


def _origin(dsn: str) -> str:
    """`https://errors.example/daytwo` of `https://public@errors.example/daytwo/1`; empty for what is no DSN."""
    try:
        parts = urllib.parse.urlsplit(dsn)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    path, _, project = parts.path.rstrip("/").rpartition("/")
    if not (parts.scheme in {"http", "https"} and host and parts.username and project):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{path}"
