"""Keys let events in. Intake holds all of them in memory and reads them anew when `KEYS_TOPIC` moved."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import urllib.parse
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import DsnKey, Project
from daytwo_server.catalog.services.common import CatalogError, checked_name, project_topic
from daytwo_server.core import audit, clock, live
from daytwo_server.core.ref import Ref

KEYS_TOPIC = "catalog.keys"
MAX_LABEL = 64
OVERLAP = dt.timedelta(days=7)  # how long a key goes on by default once another replaces it
_PUBLIC_KEY = re.compile(r"[0-9a-f]{32}")
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?|\*", re.IGNORECASE)


def create_key(project: Project, label: str, *, actor: User | None) -> DsnKey:
    """A new active key. Raises `CatalogError` for a label that is empty or longer than 64 characters."""
    return _add(project, secrets.token_hex(16), label, actor=actor)


def ensure_derived_key(project: Project, public_key: str) -> DsnKey:
    """Let events in by a key that was derived from the secret key: 32 digits from 0-9 and a-f.

    The same again changes nothing. Raises `CatalogError` when the key is another project's or has another shape.
    """
    if not _PUBLIC_KEY.fullmatch(public_key):
        raise CatalogError("A public key has 32 digits from 0-9 and a-f.")
    existing = DsnKey.objects.filter(public_key=public_key).first()
    if existing is None:
        return _add(project, public_key, "Setup", actor=None)
    if existing.project_id != project.pk:
        raise CatalogError(f"The key {public_key} belongs to another project; derive it from this project's name.")
    return existing


def set_key_active(key: DsnKey, active: bool, *, actor: User) -> None:  # noqa: FBT001 - the state it is set to
    """Let the key's events in, or answer them with 403 from now on. Each undoes the other.

    One that has ended has no end any more when it is let in again.
    """
    after: dict[str, object] = {"is_active": active}
    if active and key.has_ended:
        after["ends_at"] = None
    _change(key, "enabled" if active else "disabled", after, actor=actor)


def rotate_key(key: DsnKey, *, label: str, ends_at: dt.datetime, actor: User) -> DsnKey:
    """A new key with the limits of `key`, at once; the old one lets events in until `ends_at`.

    `undo_rotation` takes it back. Raises `CatalogError` when the end is past, or the old key lets nothing in anyway.
    """
    if not key.is_active or key.has_ended:
        raise CatalogError("This key lets no events in any more. Create a new one instead.")
    with transaction.atomic():
        new = _add(
            key.project, secrets.token_hex(16), label, actor=actor, replaces=key, allowed_origins=key.allowed_origins,
            rate_per_s=key.rate_per_s, burst=key.burst,
        )  # fmt: skip
        end_key(key, ends_at, actor=actor)
    return new


def undo_rotation(new: DsnKey, *, actor: User) -> None:
    """Let the key that `new` replaced go on without an end, and switch `new` off: an app may have it already."""
    if new.replaces is None:
        raise CatalogError(f"{new.label} replaces no other key.")
    with transaction.atomic():
        end_key(new.replaces, None, actor=actor)
        set_key_active(new, False, actor=actor)


def end_key(key: DsnKey, ends_at: dt.datetime | None, *, actor: User) -> None:
    """Let the key's events in until then, None for ever. Raises `CatalogError` for a time that is past."""
    if ends_at == key.ends_at:
        return
    if ends_at is not None and ends_at <= clock.now():
        raise CatalogError("That is past. Choose a later end, or disable the key.", field="ends_at")
    _change(key, "end-set", {"ends_at": ends_at}, actor=actor)


def limit_key(
    key: DsnKey, *, allowed_origins: Sequence[str], rate_per_s: int | None, burst: int | None, actor: User
) -> None:
    """Set which web pages may send by the key, and how much. None follows the installation's settings.

    An origin is `https://app.example.com`, `https://*.example.com` or `*`. Raises `CatalogError` naming the wrong one.
    """
    origins = checked_origins(allowed_origins)
    _change(key, "limited", {"allowed_origins": origins, "rate_per_s": rate_per_s, "burst": burst}, actor=actor)


def checked_origins(origins: Sequence[str]) -> list[str]:
    """Web pages as they are compared. Raises `CatalogError` naming the wrong one."""
    if wrong := next((origin for origin in origins if not _ORIGIN.fullmatch(origin)), None):
        raise CatalogError(
            f"{wrong} is no origin; write it like https://app.example.com, without a path.", field="allowed_origins"
        )
    return [origin.lower() for origin in origins]


def dsn(key: DsnKey, public_url: str) -> str:
    """What an SDK is told: `https://<public key>@host/<path of the installation>/<project id>`."""
    parts = urllib.parse.urlsplit(public_url)
    return f"{parts.scheme}://{key.public_key}@{parts.netloc}{parts.path.rstrip('/')}/{key.project_id}"


def _add(project: Project, public_key: str, label: str, *, actor: User | None, **fields: Any) -> DsnKey:
    label = checked_name(label, "label", MAX_LABEL)
    with transaction.atomic():
        key = DsnKey.objects.create(project=project, public_key=public_key, label=label, **fields)
        replaces: dict[str, object] | None = {"replaces": key.replaces_id} if key.replaces_id else None
        _changed("created", key, actor=actor, after=replaces)
    return key


def _change(key: DsnKey, verb: str, after: dict[str, object], *, actor: User) -> None:
    """Set the fields of the row and of `key`; nothing happens when the row says so already."""
    with transaction.atomic():
        row = DsnKey.objects.select_for_update().get(pk=key.pk)
        before = {name: getattr(row, name) for name in after}
        for name, value in after.items():
            setattr(key, name, value)
        if before != after:
            DsnKey.objects.filter(pk=key.pk).update(**after)
            _changed(verb, key, actor=actor, before=_plain(before), after=_plain(after))


def _plain(values: dict[str, object]) -> dict[str, object]:
    """Times as text, for the audit log."""
    return {
        name: value.astimezone(clock.UTC).isoformat() if isinstance(value, dt.datetime) else value
        for name, value in values.items()
    }


def _changed(
    verb: str,
    key: DsnKey,
    *,
    actor: User | None,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(f"catalog:key:{verb}", actor=actor, ref=Ref("key", key.pk), before=before, after=after)
    live.bump(KEYS_TOPIC, project_topic(key.project_id))
