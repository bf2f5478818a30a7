"""Access tokens for mailboxes that take no passwords any more (OAuth 2.0): Microsoft 365, Gmail.

DAYTWO_IMAP_OAUTH names where tokens are given and by which client: https://ID:SECRET@host/path?scope=...&refresh_token=...
"""

from __future__ import annotations

import time
import urllib.parse

import httpx

PATIENCE_S = 15
EARLY_S = 120.0  # before a token ends, another one is asked for
_DEFAULT_LIFE_S = 3600

_known: dict[str, tuple[str, float]] = {}  # by setting: the token, and until when it is used


class NoToken(Exception):
    """No token was given; the words are the provider's, without what is secret in the setting."""


def access_token(setting: str) -> str:
    """A token that is good for some minutes at least.

    With a `refresh_token` it is a person's who agreed once, without one the client's own (client credentials). Blocks;
    raises `NoToken`.
    """
    token, until = _known.get(setting, ("", 0.0))
    if time.monotonic() >= until:
        token, life_s = _ask(setting)
        _known[setting] = token, time.monotonic() + life_s - EARLY_S
    return token


def forget(setting: str) -> None:
    """Ask anew the next time: the mail server refused the token."""
    _known.pop(setting, None)


def for_imap(user: str, token: str) -> bytes:
    """What AUTHENTICATE XOAUTH2 says. https://developers.google.com/gmail/imap/xoauth2-protocol"""
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def _ask(setting: str) -> tuple[str, float]:
    parts = urllib.parse.urlsplit(setting)
    host = parts.netloc.rpartition("@")[2]
    more = dict(urllib.parse.parse_qsl(parts.query))
    form = {
        "grant_type": "refresh_token" if "refresh_token" in more else "client_credentials",
        "client_id": urllib.parse.unquote(parts.username or ""),
        "client_secret": urllib.parse.unquote(parts.password or ""),
        **more,
    }
    try:
        answer = httpx.post(f"{parts.scheme}://{host}{parts.path}", data=form, timeout=PATIENCE_S)
        told = answer.json()
    except (httpx.HTTPError, ValueError) as problem:
        raise NoToken(f"{host} cannot be asked for a token ({type(problem).__name__}).") from None
    if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
        words = [str(told.get(name, "")) for name in ("error", "error_description")] if isinstance(told, dict) else []
        raise NoToken(f"{host} gave no token: {' '.join(' '.join(words).split())[:300] or answer.status_code}")
    life_s = told.get("expires_in")
    return told["access_token"], float(life_s) if isinstance(life_s, int | float) else _DEFAULT_LIFE_S
