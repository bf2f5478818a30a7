"""Every write about people and tokens. Whoever calls has already asked `permissions.can`."""

import datetime as dt
import hmac
import secrets
from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models import Q, QuerySet

from daytwo_server.accounts import permissions, tokens
from daytwo_server.accounts.models import UNDO_WINDOW, ApiToken, Membership, OwnerLink, User, Workspace
from daytwo_server.core import audit, clock
from daytwo_server.core.ref import Ref

OWNER_LINK_LIFETIME = dt.timedelta(hours=24)
USE_IS_NOTED_EVERY = dt.timedelta(minutes=1)
PROFILE_FIELDS = ("name", "theme", "density", "time_zone", "single_key_shortcuts")
_NO_DIGEST = "0" * 64


class AccountsError(Exception):
    """What was asked cannot be done; the text says why and what to do."""


class LinkGoneError(AccountsError):
    """The owner link is unknown, used or expired."""


# -- the first owner


def workspace() -> Workspace:
    """The one workspace, made at first use."""
    return Workspace.objects.get_or_create(pk=1)[0]


def owner_link() -> str | None:
    """A fresh token for `/welcome/<token>/`, good once within 24 hours; None when somebody owns the workspace already.

    Earlier links stop working: whoever starts the server again has lost them or let them expire.
    """
    if _owners().exists():
        return None
    raw = secrets.token_urlsafe(32)
    with transaction.atomic():
        OwnerLink.objects.filter(used_at=None).delete()
        OwnerLink.objects.create(digest=tokens.digest(raw), expires_at=clock.now() + OWNER_LINK_LIFETIME)
    return raw


def welcome(link: str, *, name: str, email: str, password: str) -> User:
    """Use up the link and make this person the first owner. Raises `LinkGoneError`."""
    now = clock.now()
    with transaction.atomic():
        # Claimed by UPDATE: of two browsers that send the form at once, one changes the row.
        usable = OwnerLink.objects.filter(digest=tokens.digest(link), used_at=None, expires_at__gt=now)
        if not usable.update(used_at=now) or _owners().exists():
            raise LinkGoneError("This link was used already or has expired.")
        user = _make_owner(email, name=name, password=password)
        audit.record("accounts:owner:welcomed", actor=user, ref=Ref("user", user.pk))
    return user


def ensure_owner(email: str, password: str) -> User:
    """An owner who can sign in with exactly this e-mail and password; changes nothing when that is so already.

    For `daytwo setup`, which only the operator can run: whoever holds the secret key may let anybody in anyway, so the
    password that was given is made to work even if the person had another one.
    """
    user = User.objects.filter(email=User.objects.normalize_email(email)).first()
    membership = permissions.membership_of(user) if user else None
    if user and membership and membership.role == Membership.Role.OWNER and user.check_password(password):
        return user
    with transaction.atomic():
        owner = _make_owner(email, name=user.name if user else email.partition("@")[0], password=password)
        audit.record("accounts:owner:ensured", actor=None, ref=Ref("user", owner.pk))
    return owner


def _owners() -> QuerySet[Membership]:
    return Membership.objects.filter(role=Membership.Role.OWNER, user__is_active=True)


def _make_owner(email: str, *, name: str, password: str) -> User:
    user = User.objects.filter(email=User.objects.normalize_email(email)).first()
    if user is None:
        user = User.objects.create_user(email, password, name=name)
    else:
        user.name, user.is_active = name, True
        user.set_password(password)
        user.save(update_fields=["name", "is_active", "password"])
    Membership.objects.update_or_create(user=user, defaults={"role": Membership.Role.OWNER, "workspace": workspace()})
    return User.objects.get(pk=user.pk)


# -- one's own profile


def update_profile(user: User, changes: Mapping[str, object]) -> None:
    """Store those of `PROFILE_FIELDS` that differ; values have been validated by the form."""
    if unknown := changes.keys() - set(PROFILE_FIELDS):
        raise ValueError(f"{', '.join(sorted(unknown))}: not part of a profile")
    changed = sorted(field for field in changes if getattr(user, field) != changes[field])
    if not changed:
        return
    for field in changed:
        setattr(user, field, changes[field])
    with transaction.atomic():
        user.save(update_fields=changed)
        # Names of fields, no values: the audit log holds no personal text.
        audit.record("accounts:profile:changed", actor=user, ref=Ref("user", user.pk), after={"fields": changed})


def set_password(user: User, password: str) -> None:
    """A new password; all other sessions of the person end."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record("accounts:password:changed", actor=user, ref=Ref("user", user.pk))


# -- API tokens


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
