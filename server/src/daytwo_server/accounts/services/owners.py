"""The workspace and its first owner."""

import datetime as dt
import secrets

from django.db import transaction
from django.db.models import QuerySet

from daytwo_server.accounts import permissions, tokens
from daytwo_server.accounts.models import Membership, OwnerLink, User, Workspace
from daytwo_server.accounts.services.common import LinkGoneError
from daytwo_server.core import audit, clock, search
from daytwo_server.core.ref import Ref

OWNER_LINK_LIFETIME = dt.timedelta(hours=24)


def workspace() -> Workspace:
    """The one workspace, made at first use."""
    return Workspace.objects.get_or_create(pk=1)[0]


def owner_link() -> str | None:
    """A fresh token for `/welcome/<token>/`, good once within 24 hours; None when somebody owns the workspace already.

    Earlier links stop working: whoever starts the server again has lost them or let them expire.
    """
    if active_owners().exists():
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
        if not usable.update(used_at=now) or active_owners().exists():
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


def active_owners() -> QuerySet[Membership]:
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
    search.refresh("user", [user.pk])
    return User.objects.get(pk=user.pk)
