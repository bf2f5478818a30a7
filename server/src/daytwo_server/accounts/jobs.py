"""What accounts leave to be done later."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse

from daytwo_server.accounts import permissions, tokens
from daytwo_server.accounts.http import absolute
from daytwo_server.accounts.models import UNDO_WINDOW, FormerMembership, Invitation, User, UserSession
from daytwo_server.core import clock, jobs, preferences
from daytwo_server.core.db import chunked_delete

INVITATIONS_KEPT = dt.timedelta(days=90)
_NOBODY = 0


def mail_password_link_later(user: User | None) -> None:
    """Have a link mailed by which the person chooses a new password.

    For an address that nobody has (None) the same is enqueued: neither the answer, nor the time it takes, nor a mail
    server that is down may tell who has an account.
    """
    jobs.enqueue(mail_password_link, user=user.pk if user else _NOBODY)


@jobs.job("accounts.mail_password_link", max_attempts=5)
def mail_password_link(user: int) -> None:
    """Mail the link to the address on record. It is made here, because arguments of jobs hold no secret."""
    person = User.objects.filter(pk=user, is_active=True).first()
    if person is None:
        return
    words = {"email": person.email, "password_reset_url": _link(person)}
    send_mail(
        render_to_string("accounts/password_reset_mail_subject.txt").strip(),
        render_to_string("accounts/password_reset_mail_message.txt", words).strip(),
        preferences.current().mail_from,
        [person.email],
    )


def _link(person: User) -> str:
    # Imported here: the digest loads this module too, and has no use for all of allauth's forms.
    from allauth.account.forms import default_token_generator
    from allauth.account.utils import user_pk_to_url_str

    key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"}).replace("UID-KEY", key)
    # The configured address holds the installation's own prefix already.
    return absolute(path)


def mail_invitation_later(invitation: Invitation) -> None:
    """Have the link mailed to the address that was invited."""
    jobs.enqueue(mail_invitation, invitation=invitation.pk)


@jobs.job("accounts.mail_invitation", max_attempts=5)
def mail_invitation(invitation: int) -> None:
    """Mail the link, unless it was used, revoked or replaced meanwhile. It is made here: arguments hold no secret."""
    found = (
        Invitation.objects.select_related("invited_by__membership__workspace")
        .filter(pk=invitation, used_at=None, revoked_at=None, expires_at__gt=clock.now())
        .first()
    )
    membership = permissions.membership_of(found.invited_by) if found else None
    if found is None or membership is None:
        return
    link = tokens.invitation_link(settings.SECRET_KEY, found.nonce)
    if tokens.digest(link) != found.digest:  # the secret key was changed, so nobody could come in by it
        return
    words = {
        "inviter": found.invited_by,
        "workspace": membership.workspace.name,
        "role": found.get_role_display(),
        "url": absolute(reverse("join", args=[link])),
    }
    send_mail(
        " ".join(render_to_string("accounts/invitation_mail_subject.txt", words).split()),
        render_to_string("accounts/invitation_mail_message.txt", words).strip(),
        preferences.current().mail_from,
        [found.email],
    )


def mail_security_notice_later(user: User, words: str) -> None:
    """Have the person told by mail, where there is a mail server, that the ways into their account changed."""
    if preferences.current().mail_url:
        jobs.enqueue(mail_security_notice, user=user.pk, words=words)


@jobs.job("accounts.mail_security_notice", max_attempts=5)
def mail_security_notice(user: int, words: str) -> None:
    """Mail the sentence, which holds nothing about the person."""
    person = User.objects.filter(pk=user).first()
    if person is None:
        return
    told = {"words": words, "url": absolute(reverse("security"))}
    send_mail(
        "The ways into your account changed",
        render_to_string("accounts/security_mail_message.txt", told).strip(),
        preferences.current().mail_from,
        [person.email],
    )


@jobs.periodic("53 3 * * *")
@jobs.job("accounts.seal_again")
def seal_again() -> None:
    """Encrypt second factors by the present secret key, while keys from before it are still believed."""
    from daytwo_server.accounts.services.second_factor import seal_again as sealed  # services enqueue what is here

    if settings.SECRET_KEY_FALLBACKS:
        sealed()


@jobs.periodic("41 3 * * *")
@jobs.job("accounts.prune")
def prune() -> None:
    """Remove sessions that are over, removals that cannot be undone, and invitations 90 days after their end."""
    now = clock.now()
    chunked_delete(Session.objects.filter(expire_date__lt=now))
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    chunked_delete(UserSession.objects.filter(~Exists(alive)))
    chunked_delete(FormerMembership.objects.filter(removed_at__lt=now - UNDO_WINDOW))
    chunked_delete(Invitation.objects.filter(expires_at__lt=now - INVITATIONS_KEPT))
