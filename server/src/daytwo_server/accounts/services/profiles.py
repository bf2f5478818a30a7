"""What people change about themselves."""

from collections.abc import Mapping

from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction

from daytwo_server.accounts.models import User, UserSession
from daytwo_server.accounts.services.common import AccountsError
from daytwo_server.core import audit, search
from daytwo_server.core.ref import Ref

PROFILE_FIELDS = ("name", "theme", "density", "time_zone", "absolute_times", "single_key_shortcuts")


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
        if "name" in changed:
            search.refresh("user", [user.pk])
        # Names of fields, no values: the audit log holds no personal text.
        audit.record("accounts:profile:changed", actor=user, ref=Ref("user", user.pk), after={"fields": changed})


def change_email(user: User, email: str) -> None:
    """Another address to sign in with and to send mail to. Raises `AccountsError` when somebody else has it."""
    email = User.objects.normalize_email(email)
    if email == user.email:
        return
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(email=email)
            search.refresh("user", [user.pk])
            audit.record("accounts:email:changed", actor=user, ref=Ref("user", user.pk))
    except IntegrityError:
        raise AccountsError("Another account here has this address.") from None
    user.email = email


def set_password(user: User, password: str) -> None:
    """A new password; all other sessions of the person end.

    The one in which the person sits gets a new key from Django right after this, and so lives on.
    """
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        known = UserSession.objects.filter(user=user)
        Session.objects.filter(session_key__in=list(known.values_list("session_key", flat=True))).delete()
        audit.record("accounts:password:changed", actor=user, ref=Ref("user", user.pk))
