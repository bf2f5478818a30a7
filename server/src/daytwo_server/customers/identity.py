"""From what an event says about its user to who that is. Pure: no database, no Django."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

MAX_ID, MAX_EMAIL, MAX_NAME = 200, 254, 200
# What SDKs and scrubbers put where a value was: taken for ids, they would make one person of all who were scrubbed.
_NO_VALUES = frozenset({"", "[filtered]", "[scrubbed]", "[removed]", "[redacted]", "null", "none", "undefined"})


def key_of(user: Mapping[str, Any]) -> str | None:
    """Who the `user` of a Sentry event is: by id, else by e-mail, else by user name; None when it tells none of these.

    The key says by which: `id:42`, `email:dana@example.com`, `name:dana`. Without that, a user name could pose as an
    id. Somebody known by their address only is no customer; see `fingerprint`.
    """
    if user_id := text(user.get("id"), MAX_ID):
        return f"id:{user_id}"
    if address := email(user.get("email")):
        return f"email:{address}"
    if username := text(user.get("username"), MAX_ID):
        return f"name:{username}"
    return None


def fingerprint(user: Mapping[str, Any], client_ip: str, secret: bytes) -> str:
    """32 hexadecimal digits that tell users apart without naming them; empty for an event that names nobody.

    For customers made from their key, for visitors from their address (`user.ip_address`, where `{{auto}}` stands for
    `client_ip`). Keyed with `secret`, since the few billion addresses could otherwise be tried out.
    """
    if key := key_of(user):
        return _keyed(key, secret)
    address = text(user.get("ip_address"), 64)
    if address == "{{auto}}":
        address = client_ip
    return _keyed(f"ip:{address}", secret) if address else ""


def email(value: object) -> str:
    """An address in lower case; empty when `value` is none."""
    address = text(value, MAX_EMAIL).lower()
    return address if "@" in address else ""


def text(value: object, longest: int = MAX_NAME) -> str:
    """A string or whole number as one trimmed line; everything else, and what stands for no value, as nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    # NUL and lone surrogates are what PostgreSQL or UTF-8 cannot store.
    whole = str(value).replace("\x00", "").encode(errors="replace").decode()
    line = " ".join(whole.split())[:longest]
    return "" if line.lower() in _NO_VALUES else line


def _keyed(key: str, secret: bytes) -> str:
    return hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()[:32]
