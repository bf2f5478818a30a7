"""Keeps secrets out of what is stored to be shown: job errors and audit entries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "[removed]"
_SECRET_NAMES = (
    "password", "passwd", "secret", "token", "authorization", "cookie", "credential", "dsn", "signature", "recovery",
    "apikey", "privatekey", "serverkey", "signingkey", "accesskey", "webhookurl",
)  # fmt: skip
# The path of a webhook address is its password, so of an address only the host is kept.
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*://)(?:[^\s/@'\"]*@)?([^\s/?#'\"<>]*)[^\s'\"<>]*", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@'\"(<=,;]+@[^\s@'\")>,;]+")
_ASSIGNED = re.compile(
    r"(?i)\b([\w-]*(?:password|passwd|secret|token|api[_-]?key|authorization|cookie)[\w-]*['\"]?\s*[:=]\s*)"
    r"(?:(?:bearer|basic)\s+)?[^\s,;&]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")


def is_secret_name(name: str) -> bool:
    """Whether a value under this name is a secret: `api_key`, `X-Auth-Token`, `smtpPassword`; not `flag_key`."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    return any(word in plain for word in _SECRET_NAMES)


def mask(value: Any, *, max_text: int = 200) -> Any:
    """A copy of decoded JSON in which values under secret names are masked and long texts cut."""
    if isinstance(value, Mapping):
        return {
            str(key): MASK if is_secret_name(str(key)) else mask(item, max_text=max_text) for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(item, max_text=max_text) for item in value]
    if isinstance(value, str) and len(value) > max_text:
        return value[:max_text] + "…"
    return value


def error_line(error: BaseException, *, max_text: int = 300) -> str:
    """Type and first line of an error, without secrets, paths of addresses and e-mail addresses.

    Only the first line: PostgreSQL puts the offending row into the second one.
    """
    message = str(error).split("\n", 1)[0][: 4 * max_text]
    message = _ADDRESS.sub(r"\1\2", message)
    message = _ASSIGNED.sub(rf"\1{MASK}", message)
    message = _BEARER.sub(rf"\1 {MASK}", message)
    message = _EMAIL.sub(MASK, message)
    name = type(error).__name__
    return f"{name}: {message}"[:max_text] if message else name
