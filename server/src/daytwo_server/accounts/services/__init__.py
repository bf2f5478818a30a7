"""Every write about people and tokens. Whoever calls has already asked `permissions.can`."""

from daytwo_server.accounts.services.common import AccountsError, LinkGoneError, NotAllowedError
from daytwo_server.accounts.services.identities import disconnect, note_connected
from daytwo_server.accounts.services.invitations import (
    AccountExistsError,
    OtherPersonError,
    accept_invitation,
    accept_invitation_as,
    invitation_for,
    invite,
    join_with_identity,
    renew_invitation,
    restore_invitation,
    revoke_invitation,
)
from daytwo_server.accounts.services.members import (
    ChangedMeanwhileError,
    LastOwnerError,
    change_role,
    end_sessions_of,
    remove_member,
    restore_member,
    switch_member,
)
from daytwo_server.accounts.services.owners import ensure_owner, owner_link, welcome, workspace
from daytwo_server.accounts.services.password_links import choose_password, password_link, person_of_password_link
from daytwo_server.accounts.services.profiles import PROFILE_FIELDS, change_email, set_password, update_profile
from daytwo_server.accounts.services.second_factor import (
    SecretLostError,
    WrongCodeError,
    add_passkey,
    new_recovery_codes,
    remove_passkey,
    rename_passkey,
    reset_second_factor,
    switch_off_app,
    switch_on_app,
    use_code,
)
from daytwo_server.accounts.services.sessions import end_other_sessions, end_session
from daytwo_server.accounts.services.teams import TeamError, TeamWords, archive_team, save_team
from daytwo_server.accounts.services.tokens import (
    authenticate,
    create_token,
    ensure_derived_token,
    restore_token,
    revoke_token,
)
from daytwo_server.accounts.services.workspaces import rename_workspace

__all__ = [
    "PROFILE_FIELDS",
    "AccountExistsError",
    "AccountsError",
    "ChangedMeanwhileError",
    "LastOwnerError",
    "LinkGoneError",
    "NotAllowedError",
    "OtherPersonError",
    "SecretLostError",
    "TeamError",
    "TeamWords",
    "WrongCodeError",
    "accept_invitation",
    "accept_invitation_as",
    "add_passkey",
    "archive_team",
    "authenticate",
    "change_email",
    "change_role",
    "choose_password",
    "create_token",
    "disconnect",
    "end_other_sessions",
    "end_session",
    "end_sessions_of",
    "ensure_derived_token",
    "ensure_owner",
    "invitation_for",
    "invite",
    "join_with_identity",
    "new_recovery_codes",
    "note_connected",
    "owner_link",
    "password_link",
    "person_of_password_link",
    "remove_member",
    "remove_passkey",
    "rename_passkey",
    "rename_workspace",
    "renew_invitation",
    "reset_second_factor",
    "restore_invitation",
    "restore_member",
    "restore_token",
    "revoke_invitation",
    "revoke_token",
    "save_team",
    "set_password",
    "switch_member",
    "switch_off_app",
    "switch_on_app",
    "update_profile",
    "use_code",
    "welcome",
    "workspace",
]
