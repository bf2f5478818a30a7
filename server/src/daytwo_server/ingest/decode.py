"""Content encodings, undone piece by piece: a bomb is noticed at the cap, never unpacked whole.

Each layer takes compressed bytes and yields at most `PIECE` decoded bytes at a time. One member or frame a layer:
what follows its end is garbage and refused, as SDKs send one.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli
import zstandard

from daytwo_server.ingest.limits import Limits
from daytwo_server.ingest.refused import Refused, malformed, too_large

PIECE = 256 * 1024
# brotli fills blocks of 32, 64, 256 KiB, ... and stops after the one that passes the limit.
_BROTLI_STEP = 96 * 1024
# zstandard has no bound on its output, so the input is rationed: a block of 4 bytes can stand for 128 KiB,
# hence 64 bytes for 2 MiB. The small slices cost 8 us for a 1.5 KB body.
_ZSTD_SLICE = 64
_ZSTD_WINDOW = 8 * 1024 * 1024  # what RFC 8878 asks every decoder to support


class _Layer(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def finished(self) -> bool: ...


class _Zlib:
    """gzip, zlib, or raw deflate, which "deflate" may all mean in practice (`wbits` 0: look at the first bytes)."""

    def __init__(self, name: str, wbits: int) -> None:
        self._name = name
        self._head = b""
        self._inflate = zlib.decompressobj(wbits) if wbits else None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            data = self._head + data
            if len(data) < 2:
                self._head = data
                return
            self._inflate = zlib.decompressobj(_deflate_wbits(data))
        while data or not self._inflate.eof:
            if self._inflate.eof:
                raise malformed(f"The {self._name} body goes on after its end.")
            try:
                piece = self._inflate.decompress(data, PIECE)
            except zlib.error as error:
                raise malformed(f"The body is not {self._name} data.", str(error)) from None
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
            if piece:
                yield piece
            # A full piece may have left output behind although all input is used up.
            if not data and len(piece) < PIECE:
                return

    def finished(self) -> bool:
        return self._inflate is not None and self._inflate.eof


def _deflate_wbits(head: bytes) -> int:
    is_zlib = head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                piece: bytes = self._inner.process(data, output_buffer_limit=_BROTLI_STEP)
            except brotli.error as error:
                raise malformed("The body is not br data.", str(error)) from None
            data = b""
            if piece:
                yield piece
            # All input used up does not mean that all output was given: a full buffer may have left some behind.
            if len(piece) < _BROTLI_STEP and self._inner.can_accept_more_data():
                return

    def finished(self) -> bool:
        return bool(self._inner.is_finished())


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()

    def feed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_SLICE):
            if self._inner.eof:
                raise malformed("The zstd body goes on after its end.")
            try:
                piece = self._inner.decompress(data[start : start + _ZSTD_SLICE])
            except zstandard.ZstdError as error:
                raise malformed("The body is not zstd data.", str(error)) from None
            for cut in range(0, len(piece), PIECE):
                yield piece[cut : cut + PIECE]
            if self._inner.unused_data:
                raise malformed("The zstd body goes on after its end.")

    def finished(self) -> bool:
        return bool(self._inner.eof)


def _layer(name: str) -> _Layer:
    match name:
        case "gzip" | "x-gzip":
            return _Zlib("gzip", 16 + zlib.MAX_WBITS)
        case "deflate":
            return _Zlib("deflate", 0)
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
    raise Refused(
        415,
        f"Content-Encoding {name[:40]!r} is not known.",
        reason="malformed",
        causes=["Send identity, gzip, deflate, br or zstd."],
    )


class Decoder:
    """Undoes the `Content-Encoding` of one body and holds it to the caps.

    Raises `Refused`: 413 past `wire_bytes` (encoded bodies) or `decoded_bytes` (after each layer), 400 for data that is
    not what it claims, 415 for an unknown encoding. `decoded` counts the bytes given out so far.
    """

    def __init__(self, content_encoding: str, limits: Limits) -> None:
        names = [name for part in content_encoding.split(",") if (name := part.strip().lower()) not in {"", "identity"}]
        if len(names) > limits.encodings:
            raise malformed(f"More than {limits.encodings} content encodings on top of each other.")
        self._layers = [_layer(name) for name in reversed(names)]
        self._counts = [0] * (len(names) + 1)
        self._caps = [limits.wire_bytes if names else limits.decoded_bytes] + [limits.decoded_bytes] * len(names)

    @property
    def wire_cap(self) -> int:
        """How many bytes the body may have as it is sent."""
        return self._caps[0]

    @property
    def decoded(self) -> int:
        return self._counts[-1]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The decoded bytes that `data` stands for, in pieces of at most `PIECE`."""
        if not data:
            return iter(())
        if self._layers:
            return self._through(0, data)
        self._count(0, len(data))
        if len(data) <= PIECE:
            return iter((data,))
        return (data[start : start + PIECE] for start in range(0, len(data), PIECE))

    def finish(self) -> None:
        """Call at the end of the body. Raises 400 when it ended in the middle of a compressed stream."""
        if not all(layer.finished() for layer in self._layers):
            raise malformed("The compressed body ends too early.")

    def _through(self, depth: int, data: bytes) -> Iterator[bytes]:
        self._count(depth, len(data))
        if depth == len(self._layers):
            yield data
            return
        for piece in self._layers[depth].feed(data):
            yield from self._through(depth + 1, piece)

    def _count(self, depth: int, size: int) -> None:
        self._counts[depth] += size
        if self._counts[depth] > self._caps[depth]:
            kind = "compressed" if depth == 0 and self._layers else "decoded"
            raise too_large(f"The request has more than {self._caps[depth]} {kind} bytes.")
