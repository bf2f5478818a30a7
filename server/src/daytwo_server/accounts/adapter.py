"""How allauth fits this house: nobody signs up, addresses come from our front, guesses are counted our way."""

import base64
import ipaddress
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from daytwo_server.accounts import guessing, services
from daytwo_server.accounts.http import client_address, safe_url
from daytwo_server.accounts.models import User
from daytwo_server.core import secret, signing

PROOF_LASTS_S = 10 * 60  # since somebody last proved who they are, by signing in or on the page that asks again


def network(request: HttpRequest) -> str:
    """What an attempt counts for: the client's address; of IPv6 the /64, which one household has for itself."""
    address = client_address(request)
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "E-mail and password do not match. Check both, then try again.",
        "too_many_login_attempts": "Too many failed attempts for this address. Wait five minutes, then try again.",
        "incorrect_password": "That is not your password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: people come in by the owner link or by invitation."""
        return False

    def set_password(self, user: User, password: str) -> None:
        """Called when a password is changed or reset."""
        services.set_password(user, password)

    def is_safe_url(self, url: str | None) -> bool:
        """Whether `next` may lead there: to the host that was asked, and to no other one of ALLOWED_HOSTS."""
        return bool(url) and safe_url(self.request, str(url), "") != ""

    # ---- Signing in ----

    def get_login_stages(self) -> list[str]:
        """What stands between the password, or another service's word, and being signed in."""
        return ["daytwo_server.accounts.stages.SecondFactorStage"]

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        request.session.set_expiry(None)  # visitors' sessions are short, see `web.common.briefly`

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        guessing.remember(request, response, self._counted_as(user.email))
        return response

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("security")

    def add_message(self, *_args: Any, **_named: Any) -> None:
        """Nothing in allauth's words: what people did not see happen, our pages tell them."""

    # ---- Guesses ----

    def get_client_ip(self, request: HttpRequest) -> str:
        """What allauth counts the mails for a new password under."""
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Before a password is looked at."""
        self._attempt = self.count(request, guessing.PASSWORD, str(credentials.get("email", "")))

    def count(self, request: HttpRequest, what: str, email: str) -> guessing.Attempt:
        """Count a guess. Raises `ValidationError` when there were too many."""
        try:
            return guessing.count(request, what, self._counted_as(email), network(request))
        except guessing.TooManyGuesses:
            raise self.validation_error("too_many_login_attempts") from None

    def _rollback_login_failed_rl_usage(self) -> None:
        self._attempt.forgive()

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        guessing.forget(request, self._counted_as(str(credentials.get("email", ""))), network(request))

    def _counted_as(self, email: str) -> str:
        """Upper and lower case as the database compares them: that finds Alice for more spellings than `lower` does.

        Without the Host header, which allauth adds: whoever guesses may choose it (any port of an allowed host).
        """
        return email.strip().upper().casefold()

    # ---- Proving again who one is ----

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Whether to ask again before something that opens or locks the account."""
        records = get_authentication_records(self.request, self.request.user)
        return not records or time.time() - records[-1]["at"] > PROOF_LASTS_S

    def reauthenticate(self, user: User, password: str) -> bool:
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def get_reauthentication_methods(self, user: AbstractBaseUser) -> list[dict[str, Any]]:
        """One page offers all ways."""
        return [{"id": "confirm", "description": "Confirm that it is you", "url": reverse("account_reauthenticate")}]


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """What authenticator apps and passkeys show, and how their secrets are kept."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This passkey was not accepted. Nothing was changed; try again.",
    }

    def get_totp_issuer(self) -> str:
        return services.workspace().name

    def encrypt(self, text: str) -> str:
        """A copy of the database alone opens nobody's account: the key lies beside it, see `secret-key`."""
        return bytes(_fernet().encrypt(text.encode())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises `services.SecretLostError` when the installation's secret key is another one now."""
        from cryptography.fernet import InvalidToken

        try:
            return bytes(_fernet().decrypt(encrypted_text.encode())).decode()
        except InvalidToken:
            raise services.SecretLostError from None

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": services.workspace().name}  # type: ignore[no-any-return]

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """Without the name: authenticators keep it, and show it to whoever holds them."""
        return super().get_public_key_credential_user_entity(user) | {"display_name": user.email}  # type: ignore[no-any-return]


def _fernet() -> Any:
    from cryptography.fernet import Fernet, MultiFernet  # late: its library takes 7 MB, and not everybody uses it

    derived = [secret.derive(key, "second-factor") for key in signing.secret_keys()]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
