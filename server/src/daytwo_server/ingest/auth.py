"""Who sends: the public key of a request, from the four places where SDKs put it.

The query (`sentry_key`), the header `X-Sentry-Auth`, the header `Authorization` with scheme Sentry, and `dsn` in the
envelope header; two old endpoints carry it in the path. Whichever are given must agree.
"""

import urllib.parse
from collections.abc import Iterable
from typing import NamedTuple

from daytwo_server.core.net import origins
from daytwo_server.ingest.keys import Key
from daytwo_server.ingest.refused import Refused, malformed

_MAX_KEY = 64


class Claims(NamedTuple):
    """What a request says of itself before its body is read. `client` is "name/version" or ""."""

    keys: tuple[str, ...]
    client: str


class Dsn(NamedTuple):
    public_key: str
    project: int


def claims(query: bytes, x_sentry_auth: bytes, authorization: bytes, path_key: str = "") -> Claims:
    """The keys and the client named in query, headers and path. Unreadable parts count as absent."""
    keys = [path_key] if path_key else []
    client = ""
    if b"sentry_" in query:
        for name, value in urllib.parse.parse_qsl(query.decode("latin-1")):
            if name == "sentry_key":
                keys.append(value)
            elif name == "sentry_client":
                client = client or value
    for header in (x_sentry_auth, authorization if authorization[:7].lower() == b"sentry " else b""):
        if header:
            fields = _fields(header)
            keys += [fields["sentry_key"]] if fields.get("sentry_key") else []
            client = client or fields.get("sentry_client", "")
    return Claims(tuple(keys), client)


def _fields(header: bytes) -> dict[str, str]:
    """`Sentry a=b, c=d` as a dictionary."""
    text = header.decode("latin-1").strip()
    if text[:7].lower() == "sentry ":
        text = text[7:]
    pairs = (part.partition("=") for part in text.split(","))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def parse_dsn(dsn: str) -> Dsn:
    """The key and project of `https://key@host/prefix/project`. Raises 400."""
    try:
        parts = urllib.parse.urlsplit(dsn)
        project = project_id(parts.path.rstrip("/").rpartition("/")[2])
    except ValueError:
        project = None
    if project is None or not parts.username:
        raise malformed("The dsn in the envelope header is not valid.", "It should look like https://KEY@HOST/PROJECT.")
    return Dsn(parts.username, project)


def project_id(text: str) -> int | None:
    """A project id from a path: a positive whole number, else None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0 else None


def agreed_key(keys: Iterable[str]) -> str | None:
    """The one key that all places name, None when no place names any. Raises 403 when they differ."""
    different = set(keys)
    if len(different) > 1:
        raise denied("The request names different keys in different places.", reason="key_mismatch")
    return next(iter(different), None)


def missing_key() -> Refused:
    return Refused(
        401,
        "The request carries no key.",
        reason="missing_key",
        causes=["Put it in X-Sentry-Auth, in the query as sentry_key, or as dsn in the envelope header."],
    )


def denied(detail: str, *, reason: str) -> Refused:
    """403 for a key that may not send here."""
    return Refused(403, detail, reason=reason)


def check(key: Key | None, *, project: int | None, now: float) -> Key:
    """The key, if it is known, of the project in the path (None: the path names none), and lets events in at the unix
    second `now`. Raises 403.
    """
    if key is None:
        raise denied("The key is not known here.", reason="unknown_key")
    if project is not None and key.project != project:
        raise denied(f"The key does not belong to project {project}.", reason="wrong_project")
    if not key.active:
        raise denied("The key is disabled.", reason="disabled_key")
    if key.ends_at is not None and key.ends_at <= now:
        raise denied("The key has ended; another one replaces it.", reason="ended_key")
    if key.archived:
        raise denied("The project is archived.", reason="archived_project")
    return key


def known_form(key: str) -> bool:
    """Whether it is worth asking the key table at all."""
    return len(key) <= _MAX_KEY


def origin_allowed(key: Key, origin: str) -> bool:
    """Whether a browser page from `origin` may send with this key. No entries allow all."""
    return not key.allowed_origins or origins.is_allowed(key.allowed_origins, origin)
