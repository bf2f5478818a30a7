"""Scope, request id and access line for Django, under WSGI and ASGI, with sync and async views."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.signals import got_request_exception
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from daytwo import reporting, scope
from daytwo.middleware.request import Access, fields_of

Answer = HttpResponseBase
GetResponse = Callable[[HttpRequest], Answer | Awaitable[Answer]]


class Middleware:
    """Put it first, so that every other middleware runs within the scope."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        got_request_exception.connect(_report, dispatch_uid="daytwo")

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._call_async(request)
        access, known = _begin(request)
        with scope.request(**known) as opened:
            response: Any = self.get_response(request)
            _finish(request, response, access, opened)
        return response

    async def _call_async(self, request: HttpRequest) -> Answer:
        access, known = _begin(request)
        with scope.request(**known) as opened:
            response: Any = await self.get_response(request)  # type: ignore[misc]  # async, or it would not be here
            _finish(request, response, access, opened)
        return response  # type: ignore[no-any-return]


def _begin(request: HttpRequest) -> tuple[Access, dict[str, Any]]:
    headers = request.headers
    known = fields_of(headers.get("X-Request-ID", ""), headers.get("Traceparent", ""))
    return Access(request.method or "", request.path_info), known


def _finish(request: HttpRequest, response: Answer, access: Access, opened: dict[str, object]) -> None:
    # Django turns every exception into a response before it gets here.
    response["X-Request-ID"] = str(opened["request_id"])
    access.status = response.status_code
    access.sent = 0 if response.streaming else len(response.content)  # type: ignore[attr-defined]
    match = request.resolver_match
    access.tell(opened, route=f"/{match.route}" if match else "")


def _report(sender: Any, request: HttpRequest | None = None, **_: Any) -> None:
    """What a view did not catch. With the SDK's own integration for Django it is recognised and not sent twice."""
    import sys

    error = sys.exception()
    if error is not None:
        reporting.capture_unhandled(error)
