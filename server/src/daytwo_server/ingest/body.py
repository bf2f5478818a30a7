"""Reading request bodies: decoded as they come, never more of it in memory than what is kept."""

import asyncio
import base64
import binascii
import contextlib
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol

from daytwo_server.ingest.answers import Receive
from daytwo_server.ingest.decode import PIECE, Decoder
from daytwo_server.ingest.guards import Guards
from daytwo_server.ingest.limits import Limits
from daytwo_server.ingest.refused import Refused, malformed, too_large

_STEP_S = 0.001


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class Sink(Protocol):
    """Where decoded pieces go. `kept_bytes` is what it holds in memory."""

    @property
    def kept_bytes(self) -> int: ...
    def feed(self, data: bytes) -> None: ...


class Whole:
    """Keeps a body that is one item, up to `cap` bytes. Raises 413."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._pieces: list[bytes] = []
        self.kept_bytes = 0

    def feed(self, data: bytes) -> None:
        self.kept_bytes += len(data)
        if self.kept_bytes > self._cap:
            raise too_large(f"The event has more than {self._cap} bytes.", item="event")
        self._pieces.append(data)

    def take(self) -> bytes:
        return b"".join(self._pieces)


class Discard:
    """Lets a body pass by."""

    kept_bytes = 0

    def feed(self, data: bytes) -> None:
        pass


class Pacer:
    """Lets large bodies take one step of `PIECE` a millisecond, all of them together, so that small ones pass.

    The pause is a real one: a loop that is always busy leaves the interpreter lock to the writer thread only every
    5 ms, and a commit takes it several times.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def step(self) -> None:
        async with self._turn:
            await asyncio.sleep(_STEP_S)


class BodyReader:
    """Reads one body into a sink, accounting for the memory the sink holds until `release`."""

    def __init__(self, receive: Receive, limits: Limits, guards: Guards, pacer: Pacer) -> None:
        self._receive = receive
        self._limits = limits
        self._guards = guards
        self._pacer = pacer
        self._held = 0

    async def read(
        self,
        decoder: Decoder,
        sink: Sink,
        after_first: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Decode the whole body into `sink`.

        `after_first` is awaited after each piece until it returns True: the place to look at what has arrived before
        more is taken. Raises `Refused`, and `ClientGone`.
        """
        next_pause = PIECE
        async with contextlib.aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                for piece in decoder.feed(chunk):
                    sink.feed(piece)
                    self._hold(sink.kept_bytes)
                    if after_first is not None and await after_first():
                        after_first = None
                    if decoder.decoded > next_pause:
                        next_pause = decoder.decoded + PIECE
                        await self._pacer.step()
        decoder.finish()

    def _hold(self, size: int) -> None:
        if size != self._held:
            self._guards.hold(size - self._held)
            self._held = size

    def release(self) -> None:
        self._guards.release(self._held)
        self._held = 0

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        deadline = asyncio.get_running_loop().time() + self._limits.body_timeout_s
        more = True
        while more:
            try:
                async with asyncio.timeout_at(deadline):
                    message = await self._receive()
            except TimeoutError:
                raise Refused(408, "The body did not arrive in time.", reason="timeout") from None
            if message["type"] != "http.request":
                raise ClientGone
            more = message.get("more_body", False)
            yield message.get("body", b"")


def plain_event(body: bytes, cap: int) -> bytes:
    """The JSON of a store request. Clients of the first years send it as base64, or base64 of zlib. Raises 400, 413."""
    if body.lstrip()[:1] == b"{":
        return body
    try:
        raw = base64.b64decode(body, validate=True)
        if raw[:1] == b"{":
            return raw
        inflate = zlib.decompressobj()
        event = inflate.decompress(raw, cap)
    except (binascii.Error, zlib.error):
        raise malformed("The event is not a JSON object.") from None
    if len(event) >= cap:
        raise too_large(f"The event has more than {cap} bytes.", item="event")
    if not inflate.eof:
        raise malformed("The compressed event ends too early.")
    return event
