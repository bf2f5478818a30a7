"""The front door: raw ASGI for what machines call, Django for what people open."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from daytwo_server.core.conf import Conf
from daytwo_server.core.net.proxies import client_address, is_trusted

Scope = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Any]


class Front:
    """Dispatch by path. `doors` are (matches, application) in order; what none matches goes to `pages`."""

    def __init__(self, doors: list[tuple[Callable[[str], bool], App]], pages: App, *, prefix: str = "") -> None:
        self._doors = doors
        self._pages = pages
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        scope, path = self._below_prefix(scope)
        for matches, application in self._doors:
            if matches(path):
                await application(scope, receive, send)
                return
        await self._pages(scope, receive, send)

    def _below_prefix(self, scope: Scope) -> tuple[Scope, str]:
        """The path below the public address's own path, whether or not the reverse proxy took that away."""
        path: str = scope["path"]
        if not self._prefix:
            return scope, path
        if path == self._prefix or path.startswith(self._prefix + "/"):
            path = path[len(self._prefix) :] or "/"
        # ASGI wants `path` to hold the root path too.
        return {**scope, "root_path": self._prefix, "path": self._prefix + path}, path


def client_of(conf: Conf) -> Callable[[Scope], str]:
    """The resolved client address of a request: forwarded addresses count only behind a trusted proxy."""

    def resolve(scope: Scope) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        return client_address(peer, _header(scope, b"x-forwarded-for"), conf.trusted_proxies)

    return resolve


def is_secure(conf: Conf) -> Callable[[Scope], bool]:
    """Whether the client's own connection was encrypted, as far as a trusted proxy says so."""

    def resolve(scope: Scope) -> bool:
        peer = scope["client"][0] if scope.get("client") else ""
        forwarded = _header(scope, b"x-forwarded-proto")
        if forwarded and is_trusted(peer, conf.trusted_proxies):
            return forwarded.split(",")[0].strip() == "https"
        return bool(scope.get("scheme") == "https")

    return resolve


def _header(scope: Scope, name: bytes) -> str | None:
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ",".join(values) if values else None
