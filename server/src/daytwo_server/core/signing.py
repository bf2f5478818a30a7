"""Short proofs that words are ours, by keys that are derived from the secret key.

Keys that were the secret key before (DAYTWO_SECRET_KEY_FALLBACKS) still verify and sign nothing, so that what is out
there, such as addresses for answers, goes on working after the key was replaced.
"""

from __future__ import annotations

import functools
import hmac

from django.conf import settings

from daytwo_server.core.secret import derive


def secret_keys() -> tuple[str, ...]:
    """The present one, then those before it."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


class Signer:
    """Signs for one purpose; a proof has `length` bytes of an HMAC-SHA256."""

    def __init__(self, *purpose: str, length: int) -> None:
        self._purpose, self._length = purpose, length

    def sign(self, data: bytes) -> bytes:
        return self._proof(settings.SECRET_KEY, data)

    def is_signed(self, data: bytes, proof: bytes) -> bool:
        return any(hmac.compare_digest(proof, self._proof(secret, data)) for secret in secret_keys())

    def _proof(self, secret: str, data: bytes) -> bytes:
        return hmac.digest(_key(secret, self._purpose), data, "sha256")[: self._length]


@functools.lru_cache(maxsize=32)
def _key(secret: str, purpose: tuple[str, ...]) -> bytes:
    return derive(secret, *purpose)
