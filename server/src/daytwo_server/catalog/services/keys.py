"""Keys let events in. Intake holds all of them in memory and reads them anew when `KEYS_TOPIC` moved."""

import re
import secrets
import urllib.parse
from collections.abc import Sequence

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import DsnKey, Project
from daytwo_server.catalog.services.common import CatalogError, checked_name, project_topic
from daytwo_server.core import audit, live
from daytwo_server.core.ref import Ref

KEYS_TOPIC = "catalog.keys"
MAX_LABEL = 64
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
    """Let the key's events in, or answer them with 403 from now on. Each undoes the other."""
    with transaction.atomic():
        if DsnKey.objects.filter(pk=key.pk).exclude(is_active=active).update(is_active=active):
            _changed("enabled" if active else "disabled", key, actor=actor)


def limit_key(
    key: DsnKey, *, allowed_origins: Sequence[str], rate_per_s: int | None, burst: int | None, actor: User
) -> None:
    """Set which web pages may send by the key, and how much. None follows the installation's settings.

    An origin is `https://app.example.com`, `https://*.example.com` or `*`. Raises `CatalogError` naming the wrong one.
    """
    if wrong := next((origin for origin in allowed_origins if not _ORIGIN.fullmatch(origin)), None):
        raise CatalogError(f"{wrong} is no origin; write it like https://app.example.com, without a path.")
    origins = [origin.lower() for origin in allowed_origins]
    after: dict[str, object] = {"allowed_origins": origins, "rate_per_s": rate_per_s, "burst": burst}
    before = {name: getattr(key, name) for name in after}
    if before == after:
        return
    with transaction.atomic():
        DsnKey.objects.filter(pk=key.pk).update(**after)
        _changed("limited", key, actor=actor, before=before, after=after)


def dsn(key: DsnKey, public_url: str) -> str:
    """What an SDK is told: `https://<public key>@host/<path of the installation>/<project id>`."""
    parts = urllib.parse.urlsplit(public_url)
    return f"{parts.scheme}://{key.public_key}@{parts.netloc}{parts.path.rstrip('/')}/{key.project_id}"


def _add(project: Project, public_key: str, label: str, *, actor: User | None) -> DsnKey:
    label = checked_name(label, "label", MAX_LABEL)
    with transaction.atomic():
        key = DsnKey.objects.create(project=project, public_key=public_key, label=label)
        _changed("created", key, actor=actor)
    return key


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
