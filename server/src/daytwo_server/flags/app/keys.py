"""Who asks: the key of a request, from the headers in which OFREP, the SDK and Unleash's clients put it."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from daytwo_server.core.keytable import KeyTable

_SERVER_KEY = re.compile(r"dts_[0-9a-f]{8}(?=_)", re.ASCII)
_LONGEST = 200
_MOST_REMEMBERED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key to the flags of one environment.

    A server key is a secret: `id` is its public beginning and `digest` the SHA-256 of its text. A client key is public,
    and its `id` is all of it. `allowed_origins` empty means any.
    """

    id: str
    environment: int
    digest: str = ""
    allowed_origins: tuple[str, ...] = ()

    @property
    def is_server(self) -> bool:
        return bool(self.digest)


class Keys:
    """The keys that are in force, in memory. `table` is started and stopped by whoever made it."""

    def __init__(self, table: KeyTable[Key]) -> None:
        self.table = table
        self.used: set[str] = set()  # ids of those by which somebody came, since it was last emptied
        self._checked: dict[bytes, Key] = {}  # so that a secret is hashed once, and not for each request

    def known(self, given: bytes) -> Key | None:
        """The key of a header that was looked up before, without waiting. None does not mean that there is none."""
        key = self._checked.get(given)
        # Another object, or none, has its place in the table when anything about it may have changed.
        if key is None or self.table.get(key.id) is not key:
            return None
        self.used.add(key.id)
        return key

    async def find(self, given: bytes) -> Key | None:
        """The key of a header; None when there is none in force."""
        raw = _text(given)
        key = await self.table.find(_id(raw)) if 0 < len(raw) <= _LONGEST else None
        if key is None or (key.is_server and not hmac.compare_digest(key.digest, _digest(raw))):
            return None
        if len(self._checked) >= _MOST_REMEMBERED:
            self._checked.clear()
        self._checked[given] = key
        self.used.add(key.id)
        return key


def header_of(headers: Mapping[bytes, bytes]) -> bytes:
    """What may be a key; b"" without any. Unleash's clients send it without a scheme."""
    return headers.get(b"authorization") or headers.get(b"x-api-key") or b""


def _text(given: bytes) -> str:
    scheme, _, rest = given.partition(b" ")
    return (rest.strip() if scheme.lower() == b"bearer" else given.strip()).decode("latin-1")


def _id(raw: str) -> str:
    found = _SERVER_KEY.match(raw)
    return found[0] if found else raw


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()
