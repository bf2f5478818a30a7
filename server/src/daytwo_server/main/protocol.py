"""HTTP as uvicorn speaks it, with the limits and patience that it leaves to a reverse proxy.

Whoever is slow to say what they want, or to take their answer, must not keep others waiting; and a request's head ends
where the head ends: what a chunked body carries behind it (trailers) is no header.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KIB = 1024
TOO_LARGE = b"The head of this request is larger than 64 KB or has more than 200 lines.\n"
TOO_SLOW = b"The head of this request did not arrive in time.\n"


class HeadTooLarge(Exception):
    """Ends the parsing of a head."""


class Http(HttpToolsProtocol):
    """One connection. Times in seconds, sizes in bytes."""

    max_head = 64 * KIB
    max_headers = 200
    head_patience_s = 20.0
    # A client that takes less than this of what waits for it, in that time, does not read at all.
    write_patience_s = 30.0
    write_progress = 16 * KIB

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._head_size = 0
        self._unexplained = 0  # bytes since the parser last understood something
        self._too_large = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._unsent = 0
        self._progressed = False

    # -- the head

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unexplained += len(data)
        super().data_received(data)
        # Also what the parser gathers unseen: one endless header, or lines behind a chunked body.
        if self._unexplained > self.max_head + len(data) and not self.transport.is_closing():
            self._end(b"431 Request Header Fields Too Large", TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0
        self._expect_head()

    def on_url(self, url: bytes) -> None:
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return
        self._grow(len(name) + len(value))
        if len(self.headers) >= self.max_headers:
            self._too_large = True
            raise HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._unexplained = 0
        self._head_arrived()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unexplained = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unexplained = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._too_large:
            self._end(b"431 Request Header Fields Too Large", TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _grow(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self.max_head:
            self._too_large = True
            raise HeadTooLarge

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_patience_s, self._head_is_late)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._expect_head()  # the next request waits for the answer to this one, and so may its head
        elif self._in_head:
            self._end(b"408 Request Timeout", TOO_SLOW)
        else:
            self.transport.close()  # a browser opened it in advance and had no use for it

    def _end(self, status: bytes, text: bytes) -> None:
        headers = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close" % len(text)
        self.transport.write(b"HTTP/1.1 %b\r\n%b\r\n\r\n%b" % (status, headers, text))
        self.transport.close()

    # -- the answer

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        self._progressed = True
        super().resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_writing()  # the connection closes only when everything is sent

    def _watch_writing(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent and self._write_timer is None:
            self._unsent, self._progressed = unsent, False
            self._write_timer = self.loop.call_later(self.write_patience_s, self._look_at_writing)

    def _look_at_writing(self) -> None:
        self._write_timer = None
        taken = self._unsent - self.transport.get_write_buffer_size()
        if self._progressed or taken >= min(self.write_progress, self._unsent):
            self._watch_writing()
        else:
            self.transport.abort()
