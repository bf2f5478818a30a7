"""API tokens."""

import datetime as dt
import hmac
import secrets
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q

from daytwo_server.accounts import permissions, tokens
from daytwo_server.accounts.models import UNDO_WINDOW, ApiToken, User
from daytwo_server.accounts.services.common import AccountsError
from daytwo_server.core import audit, clock
from daytwo_server.core.ref import Ref

USE_IS_NOTED_EVERY = dt.timedelta(minutes=1)
_NO_DIGEST = "0" * 64


def create_token(
    label: str, *, scopes: Collection[str], actor: User, expires_at: dt.datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its text, which is kept nowhere and cannot be shown again."""
    raw = tokens.text(secrets.token_bytes(tokens.MATERIAL_BYTES))
    with transaction.atomic():
        token = ApiToken.objects.create(
            prefix=tokens.prefix(raw), digest=tokens.digest(raw), label=label, scopes=sorted(scopes), created_by=actor,
            expires_at=expires_at,
        )  # fmt: skip
        audit.record(
            "accounts:token:created", actor=actor, ref=Ref("token", token.pk), after={"scopes": sorted(scopes)}
        )
    return token, raw


def ensure_derived_token(label: str, raw: str) -> ApiToken:
    """Let in a token whose text was derived from the secret key (see `tokens.text`), with all scopes and no creator.

    The same text again changes nothing. Raises `AccountsError` when somebody revoked it: a leaked token must not come
    back because setup ran again.
    """
    prefix = tokens.prefix(raw)
    if not prefix:
        raise AccountsError("The token must look like dt_<8 hexadecimal digits>_<43 characters>.")
    with transaction.atomic():
        token, created = ApiToken.objects.get_or_create(
            prefix=prefix,
            defaults={"digest": tokens.digest(raw), "label": label, "scopes": [permissions.ALL_SCOPES]},
        )
        if created:
            audit.record("accounts:token:derived", actor=None, ref=Ref("token", token.pk))
    if token.revoked_at or not hmac.compare_digest(token.digest, tokens.digest(raw)):
        raise AccountsError(
            f"Token dt_{token.prefix} was revoked or belongs to another secret key. "
            "Create one under Settings > API tokens, or change DAYTWO_SECRET_KEY."
        )
    return token


def revoke_token(token: ApiToken, *, actor: User) -> None:
    """Stop the token at once; `restore_token` takes it back for ten minutes."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now()):
            audit.record("accounts:token:revoked", actor=actor, ref=Ref("token", token.pk))


def restore_token(token: ApiToken, *, actor: User) -> None:
    """Undo a revocation. Raises `AccountsError` later than ten minutes after it."""
    recent = ApiToken.objects.filter(pk=token.pk, revoked_at__gt=clock.now() - UNDO_WINDOW)
    with transaction.atomic():
        if not recent.update(revoked_at=None):
            raise AccountsError("That was too long ago to undo. Create a new token instead.")
        audit.record("accounts:token:restored", actor=actor, ref=Ref("token", token.pk))


def authenticate(raw: str) -> ApiToken | None:
    """The token with this text, if it is in force now. Takes as long for an unknown token as for a wrong secret.

    Its last use is noted at most once a minute, so that a busy program does not turn every read into a write.
    """
    token = (
        ApiToken.objects.select_related("created_by__membership__workspace").filter(prefix=tokens.prefix(raw)).first()
    )
    genuine = hmac.compare_digest(token.digest if token else _NO_DIGEST, tokens.digest(raw))
    now = clock.now()
    if token is None or not genuine or token.revoked_at or (token.expires_at and token.expires_at <= now):
        return None
    if token.last_used_at is None or now - token.last_used_at >= USE_IS_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token
