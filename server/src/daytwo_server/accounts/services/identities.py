"""Accounts elsewhere (GitHub, OpenID Connect) by which people sign in here. allauth has the table."""

from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from daytwo_server.accounts.jobs import mail_security_notice_later
from daytwo_server.accounts.models import User
from daytwo_server.accounts.services.common import AccountsError
from daytwo_server.core import audit
from daytwo_server.core.ref import Ref


def note_connected(user: User, provider: str) -> None:
    """Write down that an account elsewhere opens this one from now on."""
    with transaction.atomic():
        audit.record("accounts:identity:connected", actor=user, ref=Ref("user", user.pk), after={"provider": provider})
        mail_security_notice_later(user, "Another account was connected: whoever signs in there can sign in here.")


def disconnect(user: User, identity: int) -> None:
    """Raises `SocialAccount.DoesNotExist` for one that is not theirs, `AccountsError` when it is the only way in."""
    with transaction.atomic():
        mine = SocialAccount.objects.select_for_update().filter(user=user)
        row = mine.get(pk=identity)
        if mine.count() == 1 and not user.has_usable_password():
            raise AccountsError("This is your only way in. Set a password first.")
        row.delete()
        audit.record(
            "accounts:identity:disconnected", actor=user, ref=Ref("user", user.pk), after={"provider": row.provider}
        )
        mail_security_notice_later(user, "A connected account was disconnected.")
