"""How people from elsewhere (GitHub, OpenID Connect) come in: who is let in, and as whom.

Somebody known signs in. Somebody invited joins. Whoever is signed in connects. Everybody else is refused with words.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

import daytwo
from daytwo_server.accounts import pending, services
from daytwo_server.accounts.http import absolute
from daytwo_server.accounts.models import User
from daytwo_server.core import conf, preferences

log = daytwo.get_logger("daytwo.web")
GITHUB, OIDC = "github", "oidc"
CONNECT = "connect"  # what allauth calls it when somebody who is signed in adds a way in


def ways() -> dict[str, str]:
    """The providers that are configured, with the words for their buttons."""
    settings = conf.current()
    found = {GITHUB: "GitHub"} if settings.github_client_id else {}
    return found | ({OIDC: settings.oidc_name} if settings.oidc_client_id else {})


def refuse(request: HttpRequest, heading: str, words: str, *, status: int = 403) -> HttpResponse:
    """The page at the end of a way in that was none."""
    told = {"heading": heading, "words": words, "back": absolute(reverse("account_login"))}
    return render(request, "accounts/identity_refused.html", told, status=status)


class IdentityAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth asks here. Providers come from our settings alone, none from the database."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        apps = [_app(name) for name in ways() if provider in {None, name}]
        return [app for app in apps if client_id in {None, app.client_id}]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        """Raises `SocialApp.DoesNotExist` for one that is not configured."""
        from daytwo_server.accounts import issuers  # late: it loads a library for HTTP and one for cryptography

        return issuers.PROVIDERS[provider](request, self.get_app(request, provider, client_id))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never: who may join has joined in `pre_social_login`."""
        return False

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:
        """Never by allauth, which would take away the password of whoever comes in so; see `_member_by_email`."""
        return False

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        user.name = str(data.get("name") or data.get("username") or "")[:100]
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Who is this? Leaves `sociallogin` with a person of ours, or raises the answer that ends it here."""
        if sociallogin.state.get("process") == CONNECT:
            raise ImmediateHttpResponse(_connected(request, sociallogin))
        if sociallogin.is_existing:
            return
        with transaction.atomic():
            person = _joining(request, sociallogin) or _member_by_email(sociallogin)
            if person is None:
                raise ImmediateHttpResponse(_unknown(request, sociallogin))
            _connect(request, sociallogin, person)

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: str | None = None, exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """The provider said no, or what it said cannot be believed."""
        # The kind alone: words of the provider may hold a code or a token.
        log.warning(
            "sign-in elsewhere failed", provider=provider.sub_id, error=error or "", kind=type(exception).__name__
        )
        name = ways().get(provider.sub_id, "the other service")
        if error == "cancelled":
            words = f"{name} says that you did not agree."
        elif exception is None and not (extra_context or {}).get("state"):
            words = "This page was opened in another browser, more than ten minutes later, or for the second time."
        else:
            words = f"What {name} answered cannot be used, or nothing came. `daytwo doctor` says more to the operator."
        raise ImmediateHttpResponse(refuse(request, "You are not signed in", words, status=400))


def _app(name: str) -> SocialApp:
    settings = conf.current()
    if name == GITHUB:
        return SocialApp(
            provider=GITHUB, name="GitHub", client_id=settings.github_client_id, secret=settings.github_client_secret,
            settings={"oauth_pkce_enabled": True, "scope": ["user:email"]},
        )  # fmt: skip
    return SocialApp(
        provider=OIDC, provider_id=OIDC, name=settings.oidc_name, client_id=settings.oidc_client_id,
        secret=settings.oidc_client_secret,
        settings={"oauth_pkce_enabled": True, "server_url": settings.oidc_url},
    )  # fmt: skip


def _connected(request: HttpRequest, sociallogin: Any) -> HttpResponse:
    """Somebody who is signed in adds a way in. Back to where they began, with a word."""
    if not request.user.is_authenticated or get_adapter().is_reauthentication_required(app=""):
        return refuse(request, "Nothing was connected", "That took too long. Sign in, then connect the account again.")
    if not sociallogin.is_existing:
        with transaction.atomic():
            _connect(request, sociallogin, request.user)
        messages.success(request, f"{ways()[sociallogin.account.provider]} is connected")
    elif sociallogin.user == request.user:
        messages.info(request, "That account was connected already")
    else:
        messages.error(request, "That account belongs to somebody else here, who would have to disconnect it first")
    return redirect("security")


def _connect(request: HttpRequest, sociallogin: Any, person: User) -> None:
    sociallogin.connect(request, person)
    services.note_connected(person, sociallogin.account.provider)


def verified_email(sociallogin: Any) -> str:
    """The first address that the provider vouches for; empty when there is none."""
    return next((str(one.email) for one in sociallogin.email_addresses if one.verified is True), "")


def _joining(request: HttpRequest, sociallogin: Any) -> User | None:
    """Whoever came by an invitation; None without one. Raises the answer when it cannot be used."""
    link = pending.link(request)
    invitation = services.invitation_for(link) if link else None
    if invitation is None:
        return None
    email = invitation.email or verified_email(sociallogin)
    if not email:
        words = "The other service vouches for no e-mail address of yours. Verify one there, or join with a password."
        raise ImmediateHttpResponse(refuse(request, "You have not joined", words))
    try:
        person = services.join_with_identity(link, sociallogin.user.name or email.partition("@")[0], email)
    except services.AccountsError as problem:
        raise ImmediateHttpResponse(refuse(request, "You have not joined", str(problem))) from problem
    pending.forget(request)
    return person


def _member_by_email(sociallogin: Any) -> User | None:
    """The person with an address that the provider has verified, if the operator lets that be enough."""
    if not preferences.current().connect_by_email:
        return None
    verified = [one.email.lower() for one in sociallogin.email_addresses if one.verified is True]
    return User.objects.filter(email__in=verified, is_active=True).order_by("pk").first()


def _unknown(request: HttpRequest, sociallogin: Any) -> HttpResponse:
    name = ways()[sociallogin.account.provider]
    words = (
        f"Nobody here has connected this account of {name}. Do you work here? Sign in as you are used to, then connect "
        "it under Settings, Security. Are you new? Ask an owner or admin for an invitation and open its link first."
    )
    log.info("an unknown identity was refused", provider=sociallogin.account.provider)
    return refuse(request, "Nobody here knows you yet", words)
