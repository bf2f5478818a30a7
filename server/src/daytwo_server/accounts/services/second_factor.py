"""Second factors: authenticator apps, passkeys and recovery codes. allauth has the tables and the cryptography.

Its passkey module is loaded when somebody uses a passkey, and no sooner: with what it needs it takes 10 MB.
"""

import logging
import time
from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt, encrypt
from django.db import transaction

from daytwo_server.accounts import permissions
from daytwo_server.accounts.jobs import mail_security_notice_later
from daytwo_server.accounts.models import Membership, User, UserSession
from daytwo_server.accounts.services.common import AccountsError, NotAllowedError
from daytwo_server.accounts.services.sessions import end_quietly
from daytwo_server.core import audit
from daytwo_server.core.ref import Ref

log = logging.getLogger(__name__)

Type = Authenticator.Type
_LAST_STEP = "last_step"  # the half minute of the newest code that was used


class WrongCodeError(AccountsError):
    """The app shows another code now."""


class SecretLostError(AccountsError):
    """What is kept of the second factor was encrypted with another secret key."""


# ---- Authenticator app ----


def switch_on_app(user: User, secret: str, code: str) -> None:
    """From now on the app with this secret is asked. Raises `WrongCodeError` unless `code` is what it shows."""
    step = _step_of(secret, code)
    if step is None:
        raise WrongCodeError("That is not what the app should show now. Is the clock of that device right?")
    with transaction.atomic():
        Authenticator.objects.filter(user=user, type=Type.TOTP).delete()
        row = totp.TOTP.activate(user, secret).instance
        row.data[_LAST_STEP] = step
        row.save(update_fields=["data"])
        _note(user, "app_added", "An authenticator app was added: signing in asks for its code.")


def switch_off_app(user: User) -> None:
    """Forget the app; recovery codes go with the last second factor."""
    with transaction.atomic():
        if Authenticator.objects.filter(user=user, type=Type.TOTP).delete()[0]:
            _drop_lonely_codes(user)
            _note(user, "app_removed", "The authenticator app was removed.")


def use_code(user: User, code: str) -> Authenticator | None:
    """What this code is of: the app, or a recovery code. Each code works once. Whoever calls counts the guesses."""
    with transaction.atomic():
        # The lock is for PostgreSQL; on SQLite the transaction has the one writer's place from its start.
        for row in Authenticator.objects.select_for_update().filter(user=user).exclude(type=Type.WEBAUTHN):
            try:
                right = _use_of_app(row, code) if row.type == Type.TOTP else RecoveryCodes(row).validate_code(code)
            except SecretLostError:
                log.exception("The second factor of user %s cannot be read: the secret key is another one now", user.pk)
                continue
            if right:
                row.record_usage()
                return row
    return None


def _use_of_app(row: Authenticator, code: str) -> bool:
    """Kept with the row and not, as allauth does, in a cache of half a minute: a code stays used after a restart."""
    step = _step_of(decrypt(row.data["secret"]), code)
    if step is None or step <= row.data.get(_LAST_STEP, 0):
        return False
    row.data[_LAST_STEP] = step
    row.save(update_fields=["data"])
    return True


def _step_of(secret: str, code: str) -> int | None:
    """The half minute in which the app shows this code: now, or one step off for clocks that differ."""
    now = int(time.time()) // 30
    for step in (now, now - 1, now + 1):
        if compare_user_code(actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, step))):
            return step
    return None


# ---- Recovery codes ----


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes that each let the person in once, in place of those before. They cannot be shown again.

    Raises `AccountsError` when there is nothing that they could stand in for.
    """
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        mine = Authenticator.objects.filter(user=user)
        if not mine.exclude(type=Type.RECOVERY_CODES).exists():
            raise AccountsError("Add a passkey or an authenticator app first: recovery codes stand in for those.")
        mine.filter(type=Type.RECOVERY_CODES).delete()
        codes: list[str] = RecoveryCodes.activate(user).generate_codes()
        _note(user, "codes_made", "New recovery codes were made; earlier ones no longer work.")
    return codes


def _drop_lonely_codes(user: User) -> None:
    mine = Authenticator.objects.filter(user=user)
    if not mine.exclude(type=Type.RECOVERY_CODES).exists():
        mine.delete()


# ---- Passkeys ----


def add_passkey(user: User, name: str, credential: dict[str, Any]) -> None:
    """Keep a passkey whose registration was verified."""
    from allauth.mfa.webauthn.internal.auth import WebAuthn

    with transaction.atomic():
        WebAuthn.add(user, name, credential)
        _note(user, "passkey_added", "A passkey was added.")


def rename_passkey(user: User, passkey: int, name: str) -> None:
    """Raises `Authenticator.DoesNotExist` for one that is not theirs, as all of these do."""
    with transaction.atomic():
        row = _passkey(user, passkey)
        row.data["name"] = name
        row.save(update_fields=["data"])


def remove_passkey(user: User, passkey: int) -> str:
    """Forget it, and recovery codes with the last second factor. Returns its name."""
    with transaction.atomic():
        row = _passkey(user, passkey)
        row.delete()
        _drop_lonely_codes(user)
        _note(user, "passkey_removed", "A passkey was removed.")
    return str(row.data["name"])


def _passkey(user: User, passkey: int) -> Authenticator:
    return Authenticator.objects.select_for_update().get(user=user, type=Type.WEBAUTHN, pk=passkey)


# ---- When the secret key was replaced ----


def seal_again() -> int:
    """Encrypt what apps and recovery codes are made of by the present secret key, so that those before it may go.
    Returns for how many; what no key opens is left as it is.
    """
    sealed = 0
    for pk in Authenticator.objects.exclude(type=Type.WEBAUTHN).values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            name = "secret" if row and row.type == Type.TOTP else "seed"
            if row is None or name not in row.data:
                continue
            try:
                row.data[name] = encrypt(decrypt(row.data[name]))
            except SecretLostError:
                continue
            row.save(update_fields=["data"])
            sealed += 1
    return sealed


# ---- For somebody who lost it all ----


def reset_second_factor(person: User, *, actor: User | None) -> int:
    """Forget all second factors of a person and sign them out everywhere; how many there were, codes not counted.

    `actor` is None for the command line. Raises `NotAllowedError`: only owners help owners, so that no admin can get
    nearer to an owner's account.
    """
    membership = permissions.membership_of(person)
    owner = membership is not None and membership.role == Membership.Role.OWNER
    needed = "owners.manage" if owner else "members.manage"
    if actor is not None and not permissions.can(actor, needed):
        raise NotAllowedError(f"This needs the role {permissions.action(needed).needs}. Nothing was changed.")
    with transaction.atomic():
        mine = Authenticator.objects.filter(user=person)
        count = int(mine.exclude(type=Type.RECOVERY_CODES).count())
        mine.delete()
        # The device that is gone may be in somebody's hand.
        end_quietly(UserSession.objects.filter(user=person))
        audit.record("accounts:second_factor:reset", actor=actor, ref=Ref("user", person.pk), after={"removed": count})
        mail_security_notice_later(person, "Your second factor was reset, and you were signed out everywhere.")
    return count


def _note(user: User, what: str, words: str) -> None:
    audit.record(f"accounts:second_factor:{what}", actor=user, ref=Ref("user", user.pk))
    mail_security_notice_later(user, words)
