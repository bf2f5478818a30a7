"""Ids that tell strangers nothing but when they were made (RFC 9562, version 7)."""

import os
import time
import uuid

_VERSION, _VARIANT = 0x7 << 76, 0x2 << 62


def uuid7() -> uuid.UUID:
    """A new id; later ones sort after earlier ones, to the millisecond."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    high, low = random >> 64 & 0xFFF, random & (1 << 62) - 1
    return uuid.UUID(int=milliseconds << 80 | _VERSION | high << 64 | _VARIANT | low)
