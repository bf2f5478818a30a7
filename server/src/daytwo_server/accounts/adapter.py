"""How allauth fits this house: nobody signs up, addresses come from our front, links from the configured URL."""

import urllib.parse
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from daytwo_server.accounts import services
from daytwo_server.accounts.models import User
from daytwo_server.core import conf


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

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that sign-in attempts are counted under.

        The front puts the resolved client in X-Daytwo-Client and drops what clients send under that name; the peer's
        own address stands in where no front is before us.
        """
        return request.headers.get("X-Daytwo-Client") or request.META["REMOTE_ADDR"]

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the mail. From the configured URL: a forged Host header must not decide where it leads."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        # The path holds the public address's own prefix already, by the request's SCRIPT_NAME.
        return urllib.parse.urljoin(conf.current().public_url, path.replace("UID-KEY", key))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("profile")

    def get_from_email(self) -> str:
        return conf.current().mail_from

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Our own words: allauth's templates come first in the search path under their own names."""
        self.send_mail("accounts/password_reset_mail", email, context)

    def format_email_subject(self, subject: str) -> str:
        return str(subject)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *rest: Any, **named: Any
    ) -> None:
        """Toasts for what people did not see happen; that they are signed in or out now, they see."""
        if message_template not in {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}:
            super().add_message(request, level, message_template, *rest, **named)
