"""Every write about people and tokens. Whoever calls has already asked `permissions.can`."""

from daytwo_server.accounts.services.common import AccountsError
from daytwo_server.accounts.services.owners import LinkGoneError, ensure_owner, owner_link, welcome, workspace
from daytwo_server.accounts.services.profiles import PROFILE_FIELDS, set_password, update_profile
from daytwo_server.accounts.services.tokens import (
    authenticate,
    create_token,
    ensure_derived_token,
    restore_token,
    revoke_token,
)

__all__ = [
    "PROFILE_FIELDS",
    "AccountsError",
    "LinkGoneError",
    "authenticate",
    "create_token",
    "ensure_derived_token",
    "ensure_owner",
    "owner_link",
    "restore_token",
    "revoke_token",
    "set_password",
    "update_profile",
    "welcome",
    "workspace",
]
