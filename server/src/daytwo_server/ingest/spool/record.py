"""What the spool holds, and its bytes."""

import struct
import zlib
from typing import NamedTuple

import msgspec
import zstandard

PLAIN = b"DYs\x01"
PACKED = b"DYz\x01"
HEADER = struct.Struct("<4sIII")
HEADER_BYTES = HEADER.size
_CHECKED = struct.Struct("<II")
# A record holds one request: at most 100 MiB of items and some words around them.
MAX_BODY = 128 * 1024 * 1024
# From 16 KB on, zstd at level 1 costs less than 1.1 us a KB and saves 80-95 % of what crc32 and the disk get to see.
PACK_FROM = 16 * 1024


class Envelope(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """One accepted request: the items of it that are stored, as (type, payload) in the order sent.

    `key` is the public key it came with, `received` and `sent_at` are unix seconds by the server's and the sender's
    clock, `event_id` 32 hex digits, `sdk` "name/version" or "".
    """

    project: int
    key: str
    received: float
    sent_at: float | None
    event_id: str | None
    client_ip: str
    sdk: str
    items: list[tuple[str, bytes]]


class CountRow(msgspec.Struct, frozen=True, array_like=True):
    """`n` more items of one kind arrived or were dropped in the minute that starts at unix second `minute`.

    `outcome` is "arrived" or "dropped"; `reason` is "" for arrived. Project 0: no valid key was given.
    """

    minute: int
    project: int
    item: str
    sdk: str
    outcome: str
    reason: str
    n: int


class KeyUse(msgspec.Struct, frozen=True, array_like=True):
    """`n` more requests named the public key `key` in the minute that starts at unix second `minute`."""

    minute: int
    key: str
    let_in: bool
    n: int


class Counts(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """What was counted. `uses` has a default: a spool may hold records from before there were any."""

    rows: list[CountRow]
    uses: list[KeyUse] = []


Content = Envelope | Counts


class Position(NamedTuple):
    """Names one record for ever. Ordered as the records are."""

    segment: int
    sequence: int


START = Position(0, -1)


class Record(NamedTuple):
    position: Position
    content: Content


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Content)
_pack = zstandard.ZstdCompressor(level=1, write_content_size=True).compress
_unpack = zstandard.ZstdDecompressor().decompress


def encode(content: Content, sequence: int) -> bytes:
    """One record's bytes. Only the writer thread calls this: the compressor is not for several threads."""
    body = _encoder.encode(content)
    magic = PLAIN
    if len(body) >= PACK_FROM:
        magic, body = PACKED, _pack(body)
    checksum = zlib.crc32(body, zlib.crc32(_CHECKED.pack(len(body), sequence)))
    return HEADER.pack(magic, len(body), checksum, sequence) + body


def body_length(header: bytes) -> int | None:
    """How many bytes follow these 16, or None when they are no record header."""
    magic, length, _, _ = HEADER.unpack(header)
    return length if magic in {PLAIN, PACKED} and length <= MAX_BODY else None


def decode(header: bytes, body: bytes) -> tuple[int, Content, int] | None:
    """The sequence, content and unpacked size of a record; None when the bytes are damaged or of no known form."""
    magic, length, checksum, sequence = HEADER.unpack(header)
    if zlib.crc32(body, zlib.crc32(_CHECKED.pack(length, sequence))) != checksum:
        return None
    try:
        plain = _unpack(body, max_output_size=MAX_BODY) if magic == PACKED else body
        return sequence, _decoder.decode(plain), len(plain)
    except (msgspec.MsgspecError, zstandard.ZstdError):
        return None
