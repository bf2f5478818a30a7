"""What every page request passes: its scope for logs, and the content security policy."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

import daytwo
from daytwo import scope

log = daytwo.get_logger("daytwo.web")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._\-]{1,128}$")

# No script but our own files, no host but our own. Style attributes carry data-driven values (bar widths, avatar hues).
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; object-src 'none'; "
    "frame-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class RequestScopeMiddleware:
    """Give each request an id (taken from X-Request-ID when it is a sane one) and one access line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.headers.get("X-Request-ID", "")
        request_id = asked if _REQUEST_ID.match(asked) else secrets.token_hex(16)
        started = time.perf_counter()
        with scope.request(request_id=request_id):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            if not request.path.startswith("/static/"):
                log.info(
                    "request",
                    method=request.method,
                    route=request.resolver_match.route if request.resolver_match else "unmatched",
                    status=response.status_code,
                    duration_ms=round((time.perf_counter() - started) * 1000, 1),
                )
            return response


class HeadersMiddleware:
    """What every answer tells browsers and caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        # Some shared caches go by the end of the address (.json, .md) and would hand one viewer's page to the next.
        response.headers.setdefault("Cache-Control", "private")
        return response
