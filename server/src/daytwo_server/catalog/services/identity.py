"""The identity secret of a project: with it the project's servers say which of its users is there."""

from __future__ import annotations

import base64
import datetime as dt

from django.conf import settings
from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import Project
from daytwo_server.core import audit, clock, secret, signing
from daytwo_server.core.ref import Ref

IDENTITY_OVERLAP = dt.timedelta(days=7)  # how long tokens of the secret before are still believed


def identity_secret(project: Project) -> str:
    """What the project's servers sign the identity tokens of their users with (HS256, the text's bytes are the key).

    Derived from the installation's secret, the slug and how often it was replaced, so it is kept nowhere.
    """
    return _secret(project, project.identity_generation)


def identity_secrets(project: Project) -> list[str]:
    """Those whose tokens are believed now: the present one, and the one before as long as it overlaps. Also as they
    were by secret keys of the installation that still verify.
    """
    generations = [project.identity_generation]
    if identity_overlaps(project):
        generations.append(project.identity_generation - 1)
    return [_secret(project, one, of=key) for key in signing.secret_keys() for one in generations]


def identity_overlaps(project: Project) -> bool:
    """Whether tokens of the secret before the present one are still believed."""
    return bool(project.identity_overlaps_until and project.identity_overlaps_until > clock.now())


def replace_identity_secret(project: Project, *, actor: User, overlap: dt.timedelta = IDENTITY_OVERLAP) -> None:
    """Have a new secret at once. Tokens of the one before are believed for `overlap`, of those before it no more."""
    _set(project, project.identity_generation + 1, clock.now() + overlap, "replaced", actor=actor)


def tell_identity_secret(project: Project, *, actor: User) -> str:
    """The present secret, for somebody who looks at it; noted in the audit log."""
    audit.record("catalog:identity_secret:shown", actor=actor, ref=Ref("project", project.pk))
    return identity_secret(project)


def end_identity_overlap(project: Project, *, actor: User) -> None:
    """Believe only the present secret from now on: the one before has leaked."""
    _set(project, project.identity_generation, None, "overlap-ended", actor=actor)


def _set(project: Project, generation: int, until: dt.datetime | None, verb: str, *, actor: User) -> None:
    """Unless somebody else has replaced it since this project was read."""
    now_there = Project.objects.filter(pk=project.pk, identity_generation=project.identity_generation)
    with transaction.atomic():
        if now_there.update(identity_generation=generation, identity_overlaps_until=until):
            audit.record(f"catalog:identity_secret:{verb}", actor=actor, ref=Ref("project", project.pk))
    project.refresh_from_db()


def _secret(project: Project, generation: int, *, of: str = "") -> str:
    # The first one is as setup printed it before secrets could be replaced.
    purpose = ("identity", project.slug, *([str(generation)] if generation else []))
    return text_of(secret.derive(of or settings.SECRET_KEY, *purpose))


def text_of(material: bytes) -> str:
    """Derived bytes as people copy them."""
    return base64.urlsafe_b64encode(material).rstrip(b"=").decode()
