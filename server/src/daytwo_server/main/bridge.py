"""Django as WSGI inside the ASGI process: a fixed pool of threads, each with its own database connections.

Django's own ASGI handler is an order of magnitude slower and opens a connection per request; a2wsgi did not stop
promptly on SIGTERM. What this adds to plain WSGI: request bodies are complete before they take a thread, a bounded
queue stands in front of the pool, and no thread waits for a client to read its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, Self

Scope = MutableMapping[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Any]
Send = Callable[[Message], Any]

MEMORY_BODY_BYTES = 256 * 1024  # larger request bodies wait on disk
MAX_BODY_BYTES = 26 * 1024 * 1024
BODIES_ON_DISK = 16  # at once, so that 416 MB of disk are the most that strangers can take
BODY_PATIENCE_S = 120.0
MAX_UNSENT_BYTES = 1024 * 1024  # of one answer; past it the page thread waits until the client has read some


class Refused(Exception):
    """This request is answered here, without a page thread."""

    def __init__(self, status: int, text: str, *, retry_after_s: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.retry_after_s = retry_after_s


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class Bridge:
    """ASGI application around a WSGI one."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], *, threads: int, client: Callable[[Scope], str],
        secure: Callable[[Scope], bool], queue: int = 64, body_patience_s: float = BODY_PATIENCE_S,
    ) -> None:  # fmt: skip
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self._all_places = self._places = threads + queue
        self._disk_places = BODIES_ON_DISK
        self._body_patience_s = body_patience_s
        self._client = client
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.ExitStack() as held, contextlib.suppress(ClientGone):
            try:
                body = await self._body(receive, held)
                work, outbox = self._start(scope, body)
            except Refused as refusal:
                await _refuse(send, refusal)
                return
            with outbox:
                await outbox.deliver(send)
            await work

    def busy(self) -> bool:
        """Whether several requests are being answered or wait for a thread. From any thread."""
        return self._all_places - self._places > 1

    def close(self) -> None:
        """Take no more requests. Those that run end by themselves; the process does not wait for them."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _body(self, receive: Receive, held: contextlib.ExitStack) -> IO[bytes]:
        """The whole body, in memory or on disk as long as `held`. Raises `Refused`, `ClientGone`."""
        body = held.enter_context(tempfile.SpooledTemporaryFile(MEMORY_BODY_BYTES))  # noqa: SIM115 - `held` closes it
        try:
            async with asyncio.timeout(self._body_patience_s):
                await self._fill(body, receive, held)
        except TimeoutError:
            raise Refused(408, "The request did not arrive in time.") from None
        return body

    async def _fill(self, body: Any, receive: Receive, held: contextlib.ExitStack) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk, more = message.get("body", b""), message.get("more_body", False)
            if size <= MEMORY_BODY_BYTES < size + len(chunk):
                held.enter_context(self._place_on_disk())
            size += len(chunk)
            if size <= MAX_BODY_BYTES:
                body.write(chunk)
        if size > MAX_BODY_BYTES:
            raise Refused(413, "This request is larger than 26 MB.")

    @contextlib.contextmanager
    def _place_on_disk(self) -> Any:
        if not self._disk_places:
            raise Refused(503, "Too many large requests arrive at once. Try again in a moment.", retry_after_s=10)
        self._disk_places -= 1
        try:
            yield
        finally:
            self._disk_places += 1

    def _start(self, scope: Scope, body: IO[bytes]) -> tuple[asyncio.Future[None], _Outbox]:
        """Hand the request to a page thread. Raises `Refused`."""
        if not self._places:
            words = "Daytwo is busy: every page thread is taken and the queue is full. Reload in a few seconds."
            raise Refused(503, words, retry_after_s=2)
        loop = asyncio.get_running_loop()
        outbox = _Outbox(loop)
        page = _Page(self._application, self._environ(scope, body), outbox)
        work = loop.run_in_executor(self._pool, page.run)
        self._places -= 1
        work.add_done_callback(self._finished)
        return work, outbox

    def _finished(self, _work: asyncio.Future[None]) -> None:
        self._places += 1

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
            _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
        environ["HTTP_X_DAYTWO_CLIENT"] = client
        return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    key = name.upper().replace("-", "_")
    if "_" in name or key == "CONTENT_LENGTH":  # a_b would pose as a-b; the length is that of the body as it came
        return
    if key == "CONTENT_TYPE":
        environ[key] = value
        return
    header = f"HTTP_{key}"
    separator = "; " if key == "COOKIE" else ","
    environ[header] = f"{environ[header]}{separator}{value}" if header in environ else value


class _Outbox:
    """ASGI messages on their way from a page thread to the event loop. Leaving its `with` lets the thread go."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._messages: deque[Message] = deque()
        self._unsent = 0
        self._ended = False  # by the thread: nothing more comes
        self._closed = False  # by the loop: nobody listens any more
        self._room = threading.Condition()
        self._arrived = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._room:
            self._closed = True
            self._room.notify_all()

    def put(self, *messages: Message, last: bool = False) -> None:
        """From the page thread; nothing comes after the `last`. Waits while more than `MAX_UNSENT_BYTES` lie here: that
        is the back-pressure.
        """
        with self._room:
            while self._unsent > MAX_UNSENT_BYTES and not self._closed:
                self._room.wait()
            self._messages.extend(messages)
            self._unsent += _size(messages)
            self._ended = last
            self._wake()

    def end(self) -> None:
        """From the page thread: it has put everything."""
        with self._room:
            if not self._ended:
                self._ended = True
                self._wake()

    def _wake(self) -> None:
        if not self._closed:
            self._loop.call_soon_threadsafe(self._arrived.set)

    async def deliver(self, send: Send) -> None:
        """On the event loop: send everything until the end."""
        ended = False
        while not ended:
            await self._arrived.wait()
            self._arrived.clear()
            with self._room:
                messages, self._messages, ended = self._messages, deque(), self._ended
            for message in messages:
                await send(message)
            with self._room:
                self._unsent -= _size(messages)
                self._room.notify_all()


def _size(messages: Iterable[Message]) -> int:
    return sum(len(message.get("body", b"")) for message in messages)


class _Page:
    """One request in a page thread."""

    def __init__(self, application: Callable[..., Iterable[bytes]], environ: dict[str, Any], outbox: _Outbox) -> None:
        self._application = application
        self._environ = environ
        self._outbox = outbox
        self._start: list[Message] = []  # until the first part of the body is there
        self._is_whole = False

    def run(self) -> None:
        try:
            chunks = self._application(self._environ, self._start_response)
            try:
                if self._is_whole:  # one message, for which the event loop is woken once
                    self._emit(b"".join(chunks), more=False)
                    return
                for chunk in chunks:
                    if chunk:
                        self._emit(chunk, more=True)
                self._emit(b"", more=False)
            finally:
                if close := getattr(chunks, "close", None):
                    close()
        finally:
            self._outbox.end()

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._is_whole = any(name == b"content-length" for name, _ in encoded)
        self._start = [{"type": "http.response.start", "status": int(status[:3]), "headers": encoded}]

    def _emit(self, chunk: bytes, *, more: bool) -> None:
        start, self._start = self._start, []
        self._outbox.put(*start, {"type": "http.response.body", "body": chunk, "more_body": more}, last=not more)


async def _refuse(send: Send, refusal: Refused) -> None:
    text = f"{refusal}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    if refusal.retry_after_s:
        headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
