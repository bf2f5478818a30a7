"""Where a unit (a user, an organization) stands in a rollout or a split: the same in every process and language.

Changing anything here moves customers in or out of live rollouts; `contracts/bucketing.json` pins it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any
from uuid import UUID

SPLIT_SEED = 86028157  # as Unleash has it; with the seed of rollouts, all of a 10 % rollout would get the same variant
POSITIONS = 100_000
POINTS = 1000
_MASK = 0xFFFFFFFF


def murmur3(data: bytes, seed: int = 0) -> int:
    """MurmurHash3 x86_32 of the bytes, unsigned; in plain Python, for where mmh3 is not installed.

    https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
    """
    size = len(data)
    whole = size & ~3
    state = seed & _MASK
    for start in range(0, whole, 4):
        block = int.from_bytes(data[start : start + 4], "little") * 0xCC9E2D51 & _MASK
        block = (block << 15 | block >> 17) * 0x1B873593 & _MASK
        state ^= block
        state = ((state << 13 | state >> 19) & _MASK) * 5 + 0xE6546B64 & _MASK
    if size & 3:
        block = int.from_bytes(data[whole:], "little") * 0xCC9E2D51 & _MASK
        state ^= (block << 15 | block >> 17) * 0x1B873593 & _MASK
    state ^= size
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    return state ^ state >> 16


Hash = Callable[..., int]  # (bytes, seed=0): unsigned, 32 bits
hash32: Hash
try:
    # Takes bytes only; mmh3.hash would take text as well, and a lone surrogate in it ends the process.
    from mmh3 import mmh3_32_uintdigest  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # the extra `speed` is not installed
    hash32 = murmur3
else:
    hash32 = mmh3_32_uintdigest


def prefix(salt: str) -> bytes:
    """What stands before the unit in what is hashed."""
    return encoded(salt) + b":"


def encoded(unit: str) -> bytes:
    """UTF-8; half of a surrogate pair, which has none, counts as U+FFFD, as in browsers."""
    try:
        return unit.encode()
    except UnicodeEncodeError:
        return unit.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def position(salt: str, unit: str, seed: int = 0) -> int:
    """Place a unit in a rollout: 0 to 99,999, a thousandth of a percent each; below the percentage is in.

    Its whole percents are where Unleash has them.
    """
    hashed = hash32(prefix(salt) + encoded(unit), seed)
    return hashed % 100 * 1000 + hashed // 100 % 1000


def point(salt: str, unit: str) -> int:
    """Place a unit in a split: 0 to 999, a tenth of a percent each."""
    return hash32(prefix(salt) + encoded(unit), SPLIT_SEED) % POINTS


def identity(value: Any) -> str | None:
    """The text of an id: of a str, int or UUID, or an Enum of one; None for anything else, which counts as missing.

    An object, such as the user itself, is no id: its text could be one that everybody shares ("AnonymousUser").
    """
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, UUID) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    return None
