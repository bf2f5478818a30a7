"""Invitations: one-time links by which people join. They work without mail; with it, the link is mailed as well."""

import datetime as dt
import secrets

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from daytwo_server.accounts import jobs, permissions, tokens
from daytwo_server.accounts.models import UNDO_WINDOW, FormerMembership, Invitation, Membership, User
from daytwo_server.accounts.services.common import AccountsError, LinkGoneError, NotAllowedError
from daytwo_server.accounts.services.owners import workspace
from daytwo_server.core import audit, clock, preferences, search
from daytwo_server.core.ref import Ref

INVITATION_LIFETIME = dt.timedelta(days=7)


class AccountExistsError(AccountsError):
    """Somebody has an account with that address: they sign in and accept with it."""


class OtherPersonError(AccountsError):
    """The invitation is for another address than that of the account."""


# ---- Inviting ----


def invite(*, role: str, actor: User, email: str = "", name: str = "") -> tuple[Invitation, str]:
    """A new invitation and its link, good once within seven days; it is mailed too when there is a way.

    The link is kept nowhere. Raises `NotAllowedError` when the actor may not give that role, `AccountsError` when the
    address belongs to a member or is invited already.
    """
    _check_may_give(actor, role)
    email = User.objects.normalize_email(email)
    _check_new(email)
    (nonce, link), now = _new_link(), clock.now()
    with transaction.atomic():
        _let_in_again(email, actor)
        invitation = Invitation.objects.create(
            digest=tokens.digest(link), nonce=nonce, email=email, name=name, role=role, invited_by=actor,
            created_at=now, expires_at=now + INVITATION_LIFETIME,
        )  # fmt: skip
        audit.record("accounts:invitation:created", actor=actor, ref=_ref(invitation), after={"role": role})
        _mail(invitation)
    return invitation, link


def renew_invitation(invitation: Invitation, *, actor: User) -> str:
    """A new link for seven more days in place of the old one, which stops working; the actor becomes the inviter.

    Raises `NotAllowedError`, and `LinkGoneError` when it was accepted or revoked meanwhile.
    """
    _check_may_give(actor, invitation.role)
    nonce, link = _new_link()
    open_ones = Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None)
    with transaction.atomic():
        if not open_ones.update(
            digest=tokens.digest(link), nonce=nonce, invited_by=actor, expires_at=clock.now() + INVITATION_LIFETIME
        ):
            raise LinkGoneError("This invitation was accepted or revoked. Invite anew.")
        audit.record("accounts:invitation:renewed", actor=actor, ref=_ref(invitation))
        _mail(invitation)
    return link


def revoke_invitation(invitation: Invitation, *, actor: User) -> None:
    """Make the link useless; `restore_invitation` takes it back for ten minutes. Raises `LinkGoneError`."""
    _check_may_give(actor, invitation.role)
    with transaction.atomic():
        if not Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None).update(
            revoked_at=clock.now()
        ):
            raise LinkGoneError("This invitation was accepted or revoked already.")
        audit.record("accounts:invitation:revoked", actor=actor, ref=_ref(invitation))


def restore_invitation(invitation: Invitation, *, actor: User) -> None:
    """Undo a revocation. Raises `AccountsError` later than ten minutes after it."""
    _check_may_give(actor, invitation.role)
    with transaction.atomic():
        recent = Invitation.objects.filter(pk=invitation.pk, revoked_at__gt=clock.now() - UNDO_WINDOW)
        if not recent.update(revoked_at=None):
            raise AccountsError("That was too long ago to undo. Invite anew.")
        audit.record("accounts:invitation:restored", actor=actor, ref=_ref(invitation))


# ---- Accepting ----


def invitation_for(link: str) -> Invitation | None:
    """The invitation that this link would use up now; None when it is unknown, used, revoked or expired, or when who
    invited may no longer give that role.
    """
    found = _with_inviter(_open().filter(digest=tokens.digest(link))).first()
    return found if found and _may_give(found.invited_by, found.role) else None


def accept_invitation(link: str, *, name: str, email: str, password: str) -> User:
    """Use up the link and add a person who signs in with this password. The invited address wins over `email`.

    Raises `LinkGoneError`, and `AccountExistsError`, which leaves the link as it was.
    """
    return _join_anew(link, name=name, email=email, password=password)


def join_with_identity(link: str, name: str, email: str) -> User:
    """`accept_invitation` for somebody whom another service vouches for: nobody can sign in with a password."""
    return _join_anew(link, name=name, email=email, password=None)


def accept_invitation_as(link: str, user: User) -> None:
    """Use up the link for somebody who has an account but does not belong to the workspace.

    Raises `LinkGoneError`; `OtherPersonError` and `AccountsError` (already a member) leave the link as it was.
    """
    try:
        with transaction.atomic():
            invitation = _claim(link)
            if invitation.email not in {"", user.email}:
                raise OtherPersonError(
                    f"This invitation is for {invitation.email}, and you are signed in as {user.email}. "
                    "Sign out, then open the link again."
                )
            _join(user, invitation)
    except IntegrityError:
        raise AccountsError("You belong to this workspace already. The invitation is still good for others.") from None


def _join_anew(link: str, *, name: str, email: str, password: str | None) -> User:
    try:
        with transaction.atomic():
            invitation = _claim(link)
            email = invitation.email or User.objects.normalize_email(email)
            if User.objects.filter(email=email).exists():
                raise _account_exists(email)
            user = User.objects.create_user(email, password, name=name or invitation.name)
            _join(user, invitation)
    except IntegrityError:  # at the same moment, by another link
        raise _account_exists(email) from None
    return User.objects.get(pk=user.pk)


def _claim(link: str) -> Invitation:
    """Use the link up in the current transaction."""
    mine = Invitation.objects.filter(digest=tokens.digest(link))
    # Claimed by UPDATE on this row's own columns: of two browsers one changes it. The inviter is looked at afterwards,
    # because a join in it would become a subquery, which PostgreSQL does not ask again for the second browser.
    if not (mine & _open()).update(used_at=clock.now()):
        raise _gone()
    invitation = _with_inviter(mine).get()
    if not _may_give(invitation.invited_by, invitation.role):
        raise _gone()
    return invitation


def _join(user: User, invitation: Invitation) -> None:
    Membership.objects.create(user=user, role=invitation.role, workspace=workspace())
    FormerMembership.objects.filter(user=user).delete()
    search.refresh("user", [user.pk])
    after = {"role": invitation.role, "invited_by": invitation.invited_by_id}
    audit.record("accounts:invitation:accepted", actor=user, ref=_ref(invitation), after=after)


# ---- Steps ----


def _open() -> QuerySet[Invitation]:
    return Invitation.objects.filter(used_at=None, revoked_at=None, expires_at__gt=clock.now())


def _with_inviter(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    return invitations.select_related("invited_by__membership__workspace")


def _may_give(who: User, role: str) -> bool:
    return permissions.can(who, "owners.manage" if role == Membership.Role.OWNER else "members.manage")


def _check_may_give(actor: User, role: str) -> None:
    if not _may_give(actor, role):
        needed = "owners.manage" if role == Membership.Role.OWNER else "members.manage"
        label = Membership.Role(role).label
        raise NotAllowedError(f"To invite somebody as {label} needs the role {permissions.action(needed).needs}.")


def _check_new(email: str) -> None:
    if not email:
        return
    if Membership.objects.filter(user__email=email).exists():
        raise AccountsError("This person belongs to the workspace already.")
    if _open().filter(email=email).exists():
        raise AccountsError("This address is invited already. Make a new link in the list of open invitations.")


def _let_in_again(email: str, actor: User) -> None:
    """Switch a former member's account on: their invitation would end at a sign-in page that refuses them."""
    former = User.objects.filter(email=email, is_active=False).first() if email else None
    if former:
        User.objects.filter(pk=former.pk).update(is_active=True)
        audit.record("accounts:member:switched_on", actor=actor, ref=Ref("user", former.pk))


def _new_link() -> tuple[str, str]:
    nonce = secrets.token_hex(16)
    return nonce, tokens.invitation_link(settings.SECRET_KEY, nonce)


def _mail(invitation: Invitation) -> None:
    if invitation.email and preferences.current().mail_url:
        jobs.mail_invitation_later(invitation)


def _ref(invitation: Invitation) -> Ref:
    return Ref("invitation", invitation.pk)


def _gone() -> LinkGoneError:
    return LinkGoneError("This invitation was used or revoked, or has expired.")


def _account_exists(email: str) -> AccountExistsError:
    return AccountExistsError(f"{email} has an account here already. Sign in with it, then open the link again.")
