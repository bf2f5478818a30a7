"""Server-sent events that say that something changed; what did, is asked for like at any other time."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from daytwo_server.flags.app.answers import ANY_ORIGIN, Headers, Receive, Refused, Send

log = logging.getLogger(__name__)

HEARTBEAT_S = 20.0
_HEADERS: Headers = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
]
Event = Callable[[int], bytes]  # of a revision


@dataclass(eq=False, slots=True)
class _Listener:
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    is_gone: bool = False


class Streams:
    """Those who listen, by environment. `most` of them in all."""

    def __init__(self, *, most: int = 5000, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._most, self._heartbeat_s = most, heartbeat_s
        self._listeners: dict[int, set[_Listener]] = defaultdict(set)
        self._count = 0
        self._closing = False

    def __len__(self) -> int:
        return self._count

    def check(self) -> None:
        """Raises `Refused` 503 where no more can listen."""
        if self._closing or self._count >= self._most:
            raise Refused(
                503, "Too many listen, or the server is stopping. Asking every so often works.", retry_after_s=30
            )

    def tell(self, environment: int) -> None:
        """Wake all who listen to this environment."""
        for listener in self._listeners.get(environment, ()):
            listener.wake.set()

    def close(self) -> None:
        """End all streams and let no more begin."""
        self._closing = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.wake.set()

    async def serve(
        self,
        environment: int,
        receive: Receive,
        send: Send,
        *,
        revision: Callable[[], int],
        seen: int,
        event: Event,
        goes_on: Callable[[], bool],
    ) -> None:
        """Say each change until one side leaves, or `goes_on` says no. `seen` is the revision that is known there."""
        listener = _Listener()
        self._listeners[environment].add(listener)
        self._count += 1
        watcher = asyncio.create_task(_watch(listener, receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, *ANY_ORIGIN]})
            await self._stream(listener, send, revision=revision, seen=seen, event=event, goes_on=goes_on)
            if not listener.is_gone:
                await send({"type": "http.response.body", "body": b""})
        except OSError:
            log.debug("A listener left while it was being told something.")
        finally:
            watcher.cancel()
            self._count -= 1
            self._listeners[environment].discard(listener)

    async def _stream(
        self,
        listener: _Listener,
        send: Send,
        *,
        revision: Callable[[], int],
        seen: int,
        event: Event,
        goes_on: Callable[[], bool],
    ) -> None:
        # After a restart they come back at different moments.
        await _write(send, b"retry: %d\n\n" % random.randint(500, 3000))  # noqa: S311 - no secret
        while not (listener.is_gone or self._closing) and goes_on():
            now = revision()
            if now != seen:
                seen = now
                await _write(send, event(now))
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    await listener.wake.wait()
                listener.wake.clear()
            except TimeoutError:
                await _write(send, b":\n\n")


def to_sdk(revision: int) -> bytes:
    """As docs/reference/flag-snapshot.md has it."""
    return b'id: %d\ndata: {"revision": %d}\n\n' % (revision, revision)


def to_ofrep(revision: int) -> bytes:
    """As OFREP's web clients understand it."""
    moment = int(time.time())
    return b'id: %d\nevent: message\ndata: {"type":"refetchEvaluation","etag":"%d","lastModified":%d}\n\n' % (
        revision, revision, moment,
    )  # fmt: skip


class Tickets:
    """What lets a browser's EventSource in, which can send no headers: a key's id, signed, and no key.

    `secret` is the installation's.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, key_id: str) -> str:
        return f"{key_id}.{self._sign(key_id)}"

    def key_id(self, ticket: str) -> str:
        """Whose ticket it is, "" for one that is none."""
        key_id, _, signature = ticket.rpartition(".")
        return key_id if hmac.compare_digest(signature.encode(), self._sign(key_id).encode()) else ""

    def _sign(self, key_id: str) -> str:
        return hmac.new(self._secret, key_id.encode(), hashlib.sha256).hexdigest()[:32]


async def _watch(listener: _Listener, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.is_gone = True
    listener.wake.set()


async def _write(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})
