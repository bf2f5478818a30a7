"""The health endpoint as an ASGI and as a WSGI app, to mount under any prefix."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from daytwo.health.endpoint import Response, holds_token, is_private_peer, kind_of, not_allowed, respond, wanted
from daytwo.health.registry import Registry
from daytwo.middleware.request import hush

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Privileged = Callable[[Mapping[str, Any]], bool]

_BEAT = 5.0  # seconds


class AsgiApp:
    """Answers `.../live`, `.../ready` and every other path with the whole report.

    `privileged(scope)` decides who sees latencies and messages, beside holders of DAYTWO_HEALTH_TOKEN.
    Default: a private or loopback peer that sends no forwarding header. An app that knows which proxies
    to believe passes a rule about the resolved client; so should one whose port a container runtime
    publishes, since that may show every client under its own private address.
    """

    def __init__(self, registry: Registry, *, privileged: Privileged | None = None) -> None:
        self._registry = registry
        self._privileged = privileged or _private_scope
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beaten = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        if scope["type"] != "http":
            return
        hush()
        answer = await self._answer(scope) if scope["method"] in ("GET", "HEAD") else not_allowed()
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope) -> Response:
        kind, query = kind_of(scope["path"]), scope.get("query_string", b"").decode("latin-1")
        loop_age = self._loop_age()
        report = await self._registry.run_async(wanted(self._registry, kind, query))
        privileged = kind != "live" and (holds_token(_asgi_header(scope, "authorization")) or self._privileged(scope))
        accept = _asgi_header(scope, "accept")
        return respond(kind, report, accept=accept, query=query, privileged=privileged, loop_age=loop_age)

    def _loop_age(self) -> float:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._beat(loop)
        return time.monotonic() - self._beaten

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beaten = time.monotonic()
        if self._loop is loop:
            loop.call_later(_BEAT, self._beat, loop)


class WsgiApp:
    """The same for WSGI; `privileged` is given the environ."""

    def __init__(self, registry: Registry, *, privileged: Privileged | None = None) -> None:
        self._registry = registry
        self._privileged = privileged or _private_environ

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, answer = environ["REQUEST_METHOD"], self.answer(environ)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", answer.headers)
        return [b"" if method == "HEAD" else answer.body]

    def answer(self, environ: Mapping[str, Any]) -> Response:
        """Status, headers and body for a request with that environ, for frameworks with responses of their own."""
        hush()
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return not_allowed()
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        kind, query = kind_of(path), environ.get("QUERY_STRING", "")
        report = self._registry.run(wanted(self._registry, kind, query))
        token = environ.get("HTTP_AUTHORIZATION", "")
        privileged = kind != "live" and (holds_token(token) or self._privileged(environ))
        return respond(kind, report, accept=environ.get("HTTP_ACCEPT", ""), query=query, privileged=privileged)


def _private_scope(scope: Mapping[str, Any]) -> bool:
    peer = (scope.get("client") or ("", 0))[0]
    return is_private_peer(peer, lambda name: _asgi_header(scope, name))


def _private_environ(environ: Mapping[str, Any]) -> bool:
    peer = environ.get("REMOTE_ADDR", "")
    return is_private_peer(peer, lambda name: environ.get("HTTP_" + name.upper().replace("-", "_"), ""))


def _asgi_header(scope: Mapping[str, Any], name: str) -> str:
    key = name.encode()
    return ",".join(value.decode("latin-1") for found, value in scope.get("headers", ()) if found.lower() == key)
