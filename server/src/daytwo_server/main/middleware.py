"""What every page request passes: its scope for logs, and the content security policy."""

from __future__ import annotations

import secrets
import time
import zlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

import daytwo
from daytwo import scope
from daytwo.middleware.request import fields_of

log = daytwo.get_logger("daytwo.web")

SHORTEST = 200  # bytes; a shorter answer is not worth it
# No script but our own files, no host but our own. Style attributes carry data-driven values (bar widths, avatar hues).
# Of our answers only those that say so can be framed: mails, which can do nothing there.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; object-src 'none'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class RequestScopeMiddleware:
    """Give each request an id (taken from X-Request-ID when it is a sane one) and one access line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = fields_of(request.headers.get("X-Request-ID", ""), request.headers.get("Traceparent", ""))
        started = time.perf_counter()
        with scope.request(**known):
            response = self.get_response(request)
            response["X-Request-ID"] = known["request_id"]
            if not request.path.startswith("/static/"):
                log.info(
                    "request",
                    method=request.method,
                    route=request.resolver_match.route if request.resolver_match else "unmatched",
                    status=response.status_code,
                    duration_ms=round((time.perf_counter() - started) * 1000, 1),
                )
            return response


class ApiErrorsMiddleware:
    """Says in the API's own form what Django and ninja say in plain text: that a path does not take this method."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or not request.path_info.startswith("/api/"):
            return response
        detail = f"{request.method} is not possible here; {response.headers['Allow']} is."
        headers = {"Allow": response.headers["Allow"]}
        return JsonResponse({"detail": detail, "fields": {}}, status=405, headers=headers)


class WrongMethodMiddleware:
    """A page for people who open the address of a button, where Django answers 405 with nothing at all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or response.content or "text/html" not in request.headers.get("Accept", ""):
            return response
        page = render(request, "405.html", status=405)
        page.headers["Allow"] = response.headers["Allow"]
        return page


class CompressionMiddleware(GZipMiddleware):
    """Django's, at a level that takes a third of its time and makes pages a tenth larger. What comes in pieces is left
    to Django.
    """

    LEVEL = 3

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not isinstance(response, HttpResponse):
            return super().process_response(request, response)
        if len(response.content) < SHORTEST or response.has_header("Content-Encoding"):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if not re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            return response
        response.content = _packed(response.content, self.LEVEL, self.max_random_bytes)
        response.headers["Content-Length"] = str(len(response.content))
        response.headers["Content-Encoding"] = "gzip"
        etag = response.headers.get("ETag", "")
        if etag.startswith('"'):  # RFC 9110, section 8.8.1: these are other bytes of the same page
            response.headers["ETag"] = f"W/{etag}"
        return response


def _packed(content: bytes, level: int, noise: int) -> bytes:
    """As gzip (RFC 1952), with a file name of random length in its head: docs/why/compression.md."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    head = bytearray(packed[:10])
    head[3] |= 0x08  # a name follows
    return bytes(head) + b"a" * secrets.randbelow(noise) + b"\0" + packed[10:]


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
