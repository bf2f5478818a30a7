"""Server keys: by which the servers of an environment speak for its customers."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import Environment, Project, ServerKey
from daytwo_server.catalog.services.common import CatalogError, project_topic
from daytwo_server.catalog.services.environments import ensure_environment
from daytwo_server.catalog.services.identity import text_of
from daytwo_server.catalog.services.keys import KEYS_TOPIC
from daytwo_server.core import audit, clock, live, secret, sql
from daytwo_server.core.ref import Ref
from daytwo_server.core.stores import DEFAULT

USE_IS_NOTED_EVERY = dt.timedelta(minutes=1)
# The prefix finds the row and is public; 43 characters of the secret are 256 bits.
_TEXT = re.compile(r"dts_(?P<prefix>[0-9a-f]{8})_[\w-]{43}", re.ASCII)
_NO_DIGEST = "0" * 64
# Asked for with every request of a server, and the ORM takes twenty times as long to write this down.
_BY_PREFIX = (
    "SELECT k.id, k.digest, k.last_used_at > %s, k.revoked_at IS NULL AND p.archived_at IS NULL, e.project_id, e.id "
    "FROM catalog_serverkey k JOIN catalog_environment e ON e.id = k.environment_id "
    "JOIN catalog_project p ON p.id = e.project_id WHERE k.prefix = %s"
)


def server_key_text(project: Project, environment: str) -> str:
    """The server key that setup derives: the same for the same project and environment, kept nowhere."""
    purpose = ("server-key", project.slug, environment)
    prefix = secret.derive(settings.SECRET_KEY, *purpose, "prefix").hex()[:8]
    return f"dts_{prefix}_{text_of(secret.derive(settings.SECRET_KEY, *purpose))}"


def create_server_key(environment: Environment, *, actor: User) -> str:
    """One more key for this environment, in force at once. Returns its text, which is kept nowhere."""
    raw = f"dts_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        key = ServerKey.objects.create(prefix=_prefix(raw), digest=_digest(raw), environment=environment)
        _changed("created", key, actor=actor)
    return raw


def revoke_server_key(key: ServerKey, *, actor: User) -> None:
    """Refuse whoever holds the key from now on. `restore_server_key` is the way back."""
    _set_revoked(key, clock.now(), "revoked", actor=actor)


def restore_server_key(key: ServerKey, *, actor: User) -> None:
    """Let a revoked key in again."""
    _set_revoked(key, None, "restored", actor=actor)


def ensure_derived_server_key(project: Project, environment: str) -> str:
    """Let in the derived key of this environment, which is added when it is new; returns the key's text.

    The same again changes nothing. Raises `CatalogError` when somebody revoked it: a leaked key must not come back
    because setup ran again.
    """
    raw = server_key_text(project, environment)
    with transaction.atomic():
        where = ensure_environment(project, environment)
        key, created = ServerKey.objects.get_or_create(
            prefix=_prefix(raw), defaults={"digest": _digest(raw), "environment": where}
        )
        if created:
            _changed("derived", key, actor=None)
    if key.revoked_at or key.environment_id != where.pk or not hmac.compare_digest(key.digest, _digest(raw)):
        raise CatalogError(
            f"The server key dts_{key.prefix} was revoked or belongs to another secret key; change DAYTWO_SECRET_KEY."
        )
    return raw


@dataclass(frozen=True)
class Admitted:
    """Who holds a server key: a project's environment, by their ids."""

    project: int
    environment: int


def authenticate_server_key(raw: str) -> Admitted | None:
    """For whom the key with this text speaks, if it is in force now. One query.

    Takes as long for an unknown key as for a wrong secret. Its last use is noted at most once a minute.
    """
    now = clock.now()
    found = sql.fetch(DEFAULT, _BY_PREFIX, [now - USE_IS_NOTED_EVERY, _prefix(raw)])
    [(pk, digest, noted, admits, project, environment)] = found or [(0, _NO_DIGEST, None, False, 0, 0)]
    if not hmac.compare_digest(digest, _digest(raw)) or not admits:
        return None
    if not noted:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
        ServerKey.objects.filter(stale, pk=pk).update(last_used_at=now)
    return Admitted(project, environment)


def note_server_keys_used(prefixes: Collection[str]) -> None:
    """Say of these keys that they were used just now; for whoever lets them in from memory."""
    ServerKey.objects.filter(prefix__in=prefixes).update(last_used_at=clock.now())


def is_server_key(raw: str) -> bool:
    """Whether the text has the form of one."""
    return _TEXT.fullmatch(raw) is not None


def _set_revoked(key: ServerKey, at: dt.datetime | None, verb: str, *, actor: User) -> None:
    with transaction.atomic():
        if ServerKey.objects.filter(pk=key.pk, revoked_at__isnull=at is not None).update(revoked_at=at):
            _changed(verb, key, actor=actor)


def _changed(verb: str, key: ServerKey, *, actor: User | None) -> None:
    ref = Ref("environment", key.environment_id)
    audit.record(f"catalog:server_key:{verb}", actor=actor, ref=ref, after={"key": key.pk})
    live.bump(KEYS_TOPIC, project_topic(key.environment.project_id))


def _prefix(raw: str) -> str:
    match = _TEXT.fullmatch(raw)
    return match["prefix"] if match else ""


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode(errors="replace")).hexdigest()
