"""What every kind of middleware does: who asks, under which id, and the line when it is over."""

import re
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from daytwo.logs.logger import get_logger

REQUEST_ID_HEADER = "x-request-id"
CLIENT_LEFT = 499  # what nginx writes for a client that did not wait for the answer
_log = get_logger("daytwo.request")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}", re.ASCII)
# https://www.w3.org/TR/trace-context/: version, trace id, parent id, flags; a later version may add more.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_answered: ContextVar["Access | None"] = ContextVar("daytwo_access", default=None)
_HEALTH = re.compile(r"(?:^|/)(?:health(?:/(?:live|ready))?|healthz|livez|readyz)/?$")


def fields_of(request_id: str, traceparent: str) -> dict[str, Any]:
    """The fields a request's scope starts with: the id that came if it is a sane one, else a new one, and the trace."""
    known: dict[str, Any] = {"request_id": request_id if _REQUEST_ID.fullmatch(request_id) else secrets.token_hex(16)}
    if traceparent and (parts := _TRACEPARENT.fullmatch(traceparent)):
        known["trace_id"] = parts[1]
    return known


def is_health(path: str) -> bool:
    """Whether a probe asks: these come every few seconds and are no news."""
    return _HEALTH.search(path) is not None


def hush() -> None:
    """Write no line for the request being answered, whatever its path: it is a probe."""
    access = _answered.get()
    if access is not None:
        access.silent = True


class Access:
    """One request being answered. `status` and `sent` (bytes) are filled in on the way, `tell` writes the line."""

    __slots__ = ("_began", "_method", "sent", "silent", "status")

    def __init__(self, method: str, path: str) -> None:
        self._began = time.perf_counter()
        self._method = method
        self.silent = is_health(path)
        self.status = 0
        self.sent = 0
        _answered.set(self)

    def tell(self, opened: Mapping[str, Any], *, route: str = "", failed: bool = False) -> None:
        """Write method, route, status, duration in milliseconds and bytes; `opened` is the request's scope.

        The path itself is not logged: it may hold a token, and no two are alike.
        """
        if self.silent:
            return
        status = self.status or (500 if failed else CLIENT_LEFT)
        took = round((time.perf_counter() - self._began) * 1000, 1)
        shown = opened.get("route") or route or "unmatched"
        # The scope may be closed already, so its fields are given; what the line says itself wins.
        about = {"method": self._method, "route": shown, "status": status, "duration_ms": took, "bytes": self.sent}
        _log.info("request", **{**opened, **about})
