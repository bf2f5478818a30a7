"""Django as WSGI inside the ASGI process: a fixed pool of threads, each with its own database connections.

Django's own ASGI handler is an order of magnitude slower and opens a connection per request; a2wsgi did not stop
promptly on SIGTERM. What this adds to plain WSGI: request bodies are complete before they take a thread, a bounded
queue in front of the pool, and responses that stream with back-pressure.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[dict[str, Any]], Any]

MEMORY_BODY_BYTES = 256 * 1024  # larger request bodies wait on disk
MAX_BODY_BYTES = 26 * 1024 * 1024
BUSY = b"Daytwo is busy: every page thread is taken and the queue is full. Reload in a few seconds.\n"
TOO_LARGE = b"This request is larger than 26 MB.\n"


class Bridge:
    """ASGI application around a WSGI one."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], *, threads: int, client: Callable[[Scope], str],
        secure: Callable[[Scope], bool], queue: int = 64,
    ) -> None:  # fmt: skip
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self._places = threads + queue
        self._client = client
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._places <= 0:
            await _refuse(send, 503, BUSY, retry_after=b"2")
            return
        self._places -= 1
        try:
            with tempfile.SpooledTemporaryFile(MEMORY_BODY_BYTES) as body:
                complete = await _read_body(receive, body)
                if complete is None:
                    return  # the client went away
                if not complete:
                    await _refuse(send, 413, TOO_LARGE)
                    return
                environ = self._environ(scope, body)
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._pool, _Response(self._application, environ, loop, send).run)
        finally:
            self._places += 1

    def close(self) -> None:
        """Take no more requests. Those that run end by themselves; the process does not wait for them."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _environ(self, scope: Scope, body: IO[bytes]) -> dict[str, Any]:
        size = body.tell()
        body.seek(0)
        root = scope.get("root_path", "")
        path = scope["path"]
        client = self._client(scope)
        environ = {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": root.encode().decode("latin-1"),
            "PATH_INFO": path[len(root) :].encode().decode("latin-1")
            if root and path.startswith(root)
            else path.encode().decode("latin-1"),
            "QUERY_STRING": scope["query_string"].decode("latin-1"),
            "SERVER_NAME": (scope.get("server") or ("localhost", 80))[0],
            "SERVER_PORT": str((scope.get("server") or ("localhost", 80))[1] or 80),
            "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
            "REMOTE_ADDR": client,
            "CONTENT_LENGTH": str(size),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if self._secure(scope) else "http",
            "wsgi.input": body,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in scope["headers"]:
            key = name.decode("latin-1").upper().replace("-", "_")
            if key == "CONTENT_TYPE":
                environ[key] = value.decode("latin-1")
            elif key != "CONTENT_LENGTH" and "_" not in name.decode("latin-1"):  # a_b would pose as a-b
                header = f"HTTP_{key}"
                text = value.decode("latin-1")
                separator = "; " if key == "COOKIE" else ","
                environ[header] = f"{environ[header]}{separator}{text}" if header in environ else text
        environ["HTTP_X_DAYTWO_CLIENT"] = client
        return environ


class _Response:
    """One request in a page thread."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], environ: dict[str, Any], loop: asyncio.AbstractEventLoop,
        send: Send,
    ) -> None:  # fmt: skip
        self._application = application
        self._environ = environ
        self._loop = loop
        self._send = send
        self._start: dict[str, Any] | None = None

    def run(self) -> None:
        chunks = self._application(self._environ, self._start_response)
        try:
            for chunk in chunks:
                if chunk:
                    self._emit(chunk, more=True)
            self._emit(b"", more=False)
        finally:
            if close := getattr(chunks, "close", None):
                close()

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self._start = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }

    def _emit(self, chunk: bytes, *, more: bool) -> None:
        """Hand the chunk to the event loop and wait until it is taken: that is the back-pressure."""
        messages = [{"type": "http.response.body", "body": chunk, "more_body": more}]
        if self._start is not None:
            messages.insert(0, self._start)
            self._start = None
        asyncio.run_coroutine_threadsafe(self._deliver(messages), self._loop).result()

    async def _deliver(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            await self._send(message)


async def _read_body(receive: Receive, body: IO[bytes]) -> bool | None:
    """Fill `body`. False: larger than allowed. None: the client disconnected."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            body.write(chunk)
        if not message.get("more_body"):
            return size <= MAX_BODY_BYTES


async def _refuse(send: Send, status: int, text: bytes, *, retry_after: bytes = b"") -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    if retry_after:
        headers.append((b"retry-after", retry_after))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
