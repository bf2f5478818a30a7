"""The middleware for ASGI apps: `app = daytwo.asgi(app)`."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from daytwo import reporting, scope
from daytwo.middleware.request import REQUEST_ID_HEADER, Access, fields_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ID = REQUEST_ID_HEADER.encode()


class AsgiMiddleware:
    """Scope, request id, access line, and the report of what nobody caught. Everything but HTTP and WebSocket passes.

    An exception goes on to the server after it was reported.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._routes: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()

    async def __call__(self, asked: Scope, receive: Receive, send: Send) -> None:
        if asked["type"] == "lifespan":
            await self.app(asked, receive, _ending(send))
            return
        if asked["type"] not in {"http", "websocket"}:
            await self.app(asked, receive, send)
            return
        request_id = traceparent = ""
        for name, value in asked["headers"]:
            if name == _ID:
                request_id = value.decode("latin-1")
            elif name == b"traceparent":
                traceparent = value.decode("latin-1")
        known = fields_of(request_id, traceparent)
        echo = (_ID, known["request_id"].encode())
        access = Access(asked.get("method", "WEBSOCKET"), asked["path"])

        async def passing(message: Message) -> None:
            kind = message["type"]
            if kind == "http.response.body":
                access.sent += len(message.get("body", b""))
            elif kind in {"http.response.start", "websocket.accept"}:
                access.status = message.get("status", 101)
                message["headers"] = [*(one for one in message.get("headers", ()) if one[0].lower() != _ID), echo]
            await send(message)

        with scope.request(**known) as opened:
            failed = True
            try:
                await self.app(asked, receive, passing)
                failed = False
            except Exception as error:
                # One that a framework's integration has reported already is recognised and not sent again.
                reporting.capture_unhandled(error)
                raise
            finally:
                access.tell(opened, route=self._route(asked), failed=failed)

    def _route(self, asked: Scope) -> str:
        """The template of the route ("/orders/{id}") where a framework left a trace of it."""
        route = asked.get("route")  # FastAPI
        if route is not None:
            return str(getattr(route, "path", ""))
        endpoint = asked.get("endpoint")  # Starlette
        if endpoint is None:
            return ""
        try:
            if endpoint not in self._routes:
                self._routes[endpoint] = _find(getattr(asked.get("app"), "routes", ()), endpoint) or ""
            return self._routes[endpoint]
        except TypeError:  # cannot be referred to weakly
            return ""


def _ending(send: Send) -> Send:
    """Servers may end themselves by a signal, which leaves no time at the end of the process; this is before that."""

    async def passing(message: Message) -> None:
        if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
            reporting.end()
        await send(message)

    return passing


def _find(routes: Any, endpoint: Any, prefix: str = "") -> str | None:
    for route in routes or ():
        path = prefix + str(getattr(route, "path", ""))
        if getattr(route, "endpoint", None) is endpoint:
            return path
        found = _find(getattr(route, "routes", None), endpoint, path)
        if found is not None:
            return found
    return None
