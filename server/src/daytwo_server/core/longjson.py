"""JSON that is longer than memory should hold: written while it is read, files within it too."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from daytwo_server.core import blobs

CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Base64:
    """Bytes as a text in base64. What `read` gives is read when its turn comes; bytes that are erased by then, or
    while they are read (`blobs.BlobGone`), end there.
    """

    read: Callable[[], Iterable[bytes]]


def chunks(value: Any) -> Iterator[bytes]:
    """The document, some `CHUNK_BYTES` at a time. Iterators become lists, item by item; of anything that is none, and
    neither dict nor list nor `Base64`, msgspec knows the JSON. Raises what reading does, and TypeError.
    """
    waiting = bytearray()
    for piece in _pieces(value):
        waiting += piece
        if len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _pieces(value: Any) -> Iterator[bytes]:
    if isinstance(value, dict):
        between = b"{"
        for name, member in value.items():
            yield between + msgspec.json.encode(str(name)) + b":"
            yield from _pieces(member)
            between = b","
        yield b"{}" if between == b"{" else b"}"
    elif isinstance(value, list | tuple | Iterator):
        between = b"["
        for item in value:
            yield between
            yield from _pieces(item)
            between = b","
        yield b"[]" if between == b"[" else b"]"
    elif isinstance(value, Base64):
        yield b'"'
        yield from _base64(value.read)
        yield b'"'
    else:
        yield msgspec.json.encode(value)


def _base64(read: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
    rest = b""
    with contextlib.suppress(blobs.BlobGone):
        for part in read():
            whole = rest + part
            end = len(whole) - len(whole) % 3  # three bytes are four characters; what is left over waits
            yield base64.b64encode(whole[:end])
            rest = whole[end:]
    yield base64.b64encode(rest)
