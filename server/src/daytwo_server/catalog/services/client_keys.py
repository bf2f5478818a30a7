"""Client keys: by which browsers and phones ask for the flags of an environment. They are public."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import ClientKey, Environment, Project
from daytwo_server.catalog.services.common import CatalogError, project_topic
from daytwo_server.catalog.services.environments import ensure_environment
from daytwo_server.catalog.services.keys import KEYS_TOPIC, checked_origins
from daytwo_server.core import audit, clock, live, secret
from daytwo_server.core.ref import Ref

PREFIX = "dtc_"


def create_client_key(
    environment: Environment, *, allowed_origins: Sequence[str] = (), actor: User | None
) -> ClientKey:
    """One more key for this environment, in force at once. Raises `CatalogError` for what is no origin."""
    origins = checked_origins(allowed_origins)
    with transaction.atomic():
        key = ClientKey.objects.create(
            environment=environment, public_key=PREFIX + secrets.token_hex(16), allowed_origins=origins
        )
        _changed("created", key, actor=actor)
    return key


def ensure_derived_client_key(project: Project, environment: str) -> str:
    """Let in the derived key of this environment, which is added when it is new; returns its text.

    The same again changes nothing. Raises `CatalogError` when somebody revoked it.
    """
    text = PREFIX + secret.derive(settings.SECRET_KEY, "client-key", project.slug, environment).hex()[:32]
    with transaction.atomic():
        where = ensure_environment(project, environment)
        key, created = ClientKey.objects.get_or_create(public_key=text, defaults={"environment": where})
        if created:
            _changed("derived", key, actor=None)
    if key.revoked_at or key.environment_id != where.pk:
        raise CatalogError(f"The client key {text} was revoked; change DAYTWO_SECRET_KEY.")
    return text


def revoke_client_key(key: ClientKey, *, actor: User) -> None:
    """Answer whoever comes by the key 401 from now on. `restore_client_key` is the way back."""
    _change(key, "revoked", {"revoked_at": clock.now()}, actor=actor, was_revoked=False)


def restore_client_key(key: ClientKey, *, actor: User) -> None:
    """Let a revoked key in again."""
    _change(key, "restored", {"revoked_at": None}, actor=actor, was_revoked=True)


def limit_client_key(key: ClientKey, *, allowed_origins: Sequence[str], actor: User) -> None:
    """Say from which web pages it may be used; none means any. Raises `CatalogError` for what is no origin."""
    origins = checked_origins(allowed_origins)
    if origins != key.allowed_origins:
        _change(key, "limited", {"allowed_origins": origins}, actor=actor)
        key.allowed_origins = origins


def note_client_keys_used(texts: Collection[str]) -> None:
    """Say of these keys that they were used just now; for whoever lets them in from memory."""
    ClientKey.objects.filter(public_key__in=texts).update(last_used_at=clock.now())


def _change(key: ClientKey, verb: str, values: dict[str, Any], *, actor: User, was_revoked: bool | None = None) -> None:
    found = ClientKey.objects.filter(pk=key.pk)
    if was_revoked is not None:
        found = found.filter(revoked_at__isnull=not was_revoked)
    with transaction.atomic():
        if found.update(**values):
            plain = {name: value for name, value in values.items() if not isinstance(value, dt.datetime)}
            _changed(verb, key, actor=actor, after=plain)


def _changed(verb: str, key: ClientKey, *, actor: User | None, after: dict[str, Any] | None = None) -> None:
    ref = Ref("environment", key.environment_id)
    audit.record(f"catalog:client_key:{verb}", actor=actor, ref=ref, after={"key": key.pk, **(after or {})})
    live.bump(KEYS_TOPIC, project_topic(key.environment.project_id))
