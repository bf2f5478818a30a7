"""What people change about themselves."""

from collections.abc import Mapping

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.core import audit
from daytwo_server.core.ref import Ref

PROFILE_FIELDS = ("name", "theme", "density", "time_zone", "single_key_shortcuts")


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
