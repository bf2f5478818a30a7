"""How allauth fits this house: nobody signs up, and addresses come from our front."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from daytwo_server.accounts import services
from daytwo_server.accounts.http import safe_url
from daytwo_server.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "E-mail and password do not match. Check both, then try again.",
        "too_many_login_attempts": "Too many failed attempts for this address. Wait five minutes, then try again.",
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

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that sign-in attempts are counted under.

        The front puts the resolved client in X-Daytwo-Client and drops what clients send under that name; the peer's
        own address stands in where no front is before us.
        """
        return request.headers.get("X-Daytwo-Client") or request.META["REMOTE_ADDR"]

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Under what failed attempts are counted for a person: the address they sign in with.

        allauth's own adds the Host header, which whoever guesses may choose (any port passes for an allowed host).
        Upper and lower case as the database compares them: that finds Alice for more spellings than `lower` does.
        """
        return str(credentials.get("email", "")).upper().casefold()

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("profile")

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *rest: Any, **named: Any
    ) -> None:
        """Toasts for what people did not see happen; that they are signed in or out now, they see."""
        if message_template not in {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}:
            super().add_message(request, level, message_template, *rest, **named)
