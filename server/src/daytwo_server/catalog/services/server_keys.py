"""Secrets that a project's own servers hold: the server key of each environment, and the identity secret."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from daytwo_server.catalog.models import Environment, Project, ServerKey
from daytwo_server.catalog.services.common import CatalogError, project_topic
from daytwo_server.catalog.services.environments import kind_of
from daytwo_server.core import audit, clock, live, secret
from daytwo_server.core.ref import Ref

USE_IS_NOTED_EVERY = dt.timedelta(minutes=1)
# The prefix finds the row and is public; 43 characters of the secret are 256 bits.
_TEXT = re.compile(r"dts_(?P<prefix>[0-9a-f]{8})_[\w-]{43}", re.ASCII)
_NO_DIGEST = "0" * 64


def identity_secret(project: Project) -> str:
    """What the project's servers sign the identity tokens of their users with (HS256, the text's bytes are the key).

    Derived from the installation's secret and the slug, so it is kept nowhere.
    """
    return _text_of(secret.derive(settings.SECRET_KEY, "identity", project.slug))


def server_key_text(project: Project, environment: str) -> str:
    """The server key that setup derives: the same for the same project and environment, kept nowhere."""
    purpose = ("server-key", project.slug, environment)
    prefix = secret.derive(settings.SECRET_KEY, *purpose, "prefix").hex()[:8]
    return f"dts_{prefix}_{_text_of(secret.derive(settings.SECRET_KEY, *purpose))}"


def ensure_derived_server_key(project: Project, environment: str) -> str:
    """Let in the derived key of this environment, which is added when it is new; returns the key's text.

    The same again changes nothing. Raises `CatalogError` when somebody revoked it: a leaked key must not come back
    because setup ran again.
    """
    raw = server_key_text(project, environment)
    with transaction.atomic():
        where, _ = Environment.objects.get_or_create(
            project=project, name=environment, defaults={"first_seen": clock.now(), "kind": kind_of(environment)}
        )
        key, created = ServerKey.objects.get_or_create(
            prefix=_prefix(raw), defaults={"digest": _digest(raw), "environment": where}
        )
        if created:
            audit.record("catalog:server_key:derived", actor=None, ref=Ref("environment", where.pk))
            live.bump(project_topic(project.pk))
    if key.revoked_at or key.environment_id != where.pk or not hmac.compare_digest(key.digest, _digest(raw)):
        raise CatalogError(
            f"The server key dts_{key.prefix} was revoked or belongs to another secret key; change DAYTWO_SECRET_KEY."
        )
    return raw


def authenticate_server_key(raw: str) -> ServerKey | None:
    """The key with this text, if it is in force now, with environment and project. One query.

    Takes as long for an unknown key as for a wrong secret. Its last use is noted at most once a minute.
    """
    found = ServerKey.objects.select_related("environment__project").filter(prefix=_prefix(raw)).first()
    genuine = hmac.compare_digest(found.digest if found else _NO_DIGEST, _digest(raw))
    if found is None or not genuine or found.revoked_at or found.environment.project.archived_at:
        return None
    now = clock.now()
    if found.last_used_at is None or now - found.last_used_at >= USE_IS_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
        ServerKey.objects.filter(stale, pk=found.pk).update(last_used_at=now)
    return found


def is_server_key(raw: str) -> bool:
    """Whether the text has the form of one."""
    return _TEXT.fullmatch(raw) is not None


def _text_of(material: bytes) -> str:
    return base64.urlsafe_b64encode(material).rstrip(b"=").decode()


def _prefix(raw: str) -> str:
    match = _TEXT.fullmatch(raw)
    return match["prefix"] if match else ""


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode(errors="replace")).hexdigest()
