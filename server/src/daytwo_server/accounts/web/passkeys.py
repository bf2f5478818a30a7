"""Passkeys: signing in with one, adding, naming and removing them.

A form with a passkey is sent twice by `passkeys.js`: first with `ask`, which is answered with what the browser shall
do, then with the `credential` that came of it. The challenge waits in the session in between.
"""

import ipaddress
import json
import struct
from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from daytwo_server.accounts import guessing, permissions, selectors, services
from daytwo_server.accounts.adapter import network
from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.web.proof import confirmed
from daytwo_server.accounts.web.recovery_codes import show_new

_VISIT_S = 15 * 60
_NAME_CHARS = 100
# What comes of bytes that claim to be a credential and are none.
_UNREADABLE = (
    ValidationError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, struct.error,
)  # fmt: skip


def briefly(request: HttpRequest) -> None:
    """Let a visitor's session, which strangers can make many of, end soon. Signing in makes it a normal one."""
    if not request.user.is_authenticated:
        request.session.set_expiry(_VISIT_S)


def possible(request: HttpRequest) -> bool:
    """Whether browsers have passkeys for this address: a name, over https or on this very machine."""
    host = request.get_host().rsplit(":", 1)[0]
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost" or host.endswith(".localhost")
    return False


def question(user: User | None) -> JsonResponse:
    """What the browser shall sign with a passkey: of this person, or of whoever has one that says whose it is."""
    from allauth.mfa.webauthn.internal import auth  # late, like all of them here: see `services.second_factor`

    return JsonResponse(auth.begin_authentication(user))


def proven(request: HttpRequest, user: User | None) -> Authenticator | None:
    """The passkey that signed our question; None for another answer.

    Without a `user` the passkey alone says who it is, and so must have looked at a finger, a face or a PIN.
    """
    from allauth.mfa.webauthn.internal import auth

    asked = auth.get_state() or {}
    if user is None and asked.get("user_verification") != "required":
        return None
    try:
        credential = _credential(request)
        auth.parse_authentication_response(credential)
        row: Authenticator = auth.complete_authentication(
            user or auth.extract_user_from_response(credential), credential
        )
    except _UNREADABLE:
        return None
    row.record_usage()
    return row


def _credential(request: HttpRequest) -> dict[str, Any]:
    found = json.loads(request.POST.get("credential", ""))
    if not isinstance(found, dict):
        raise TypeError("no credential")
    return found


@never_cache
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Come in with a passkey alone."""
    if request.user.is_authenticated:
        return redirect("home")
    if guessing.in_a_hurry(request, "passkey", network(request)):
        return ratelimit.respond_429(request)  # type: ignore[no-any-return]
    if "ask" in request.POST:
        briefly(request)
        return question(None)
    row = proven(request, None)
    if row is None:
        messages.error(request, "That passkey is not known here. Sign in with your password, or try another one.")
        return redirect("account_login")
    record_authentication(request, row.user, "mfa", type=row.type, id=row.pk, passwordless=True)
    after = safe_url(request, request.POST.get("next", ""), reverse("home"))
    response: HttpResponse = perform_login(request, Login(user=row.user, redirect_url=after))
    return response


@permissions.require("security.edit")
@never_cache
@require_POST
@confirmed
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Keep a new one; with the first second factor come recovery codes."""
    from allauth.mfa.webauthn.internal import auth

    user = viewer(request)
    if "ask" in request.POST:
        asked = auth.begin_registration(user, passwordless=False)
        # Whether it can say whose it is: wanted, for signing in without a password, but a plain security key will do.
        asked["publicKey"]["authenticatorSelection"] |= {"residentKey": "preferred"}
        return JsonResponse(asked)
    try:
        credential = _credential(request)
        auth.parse_registration_response(credential)
        auth.complete_registration(credential)
    except _UNREADABLE:
        messages.error(request, "The passkey was not added: what the browser sent cannot be used. Try again.")
        return redirect("security")
    first = not selectors.second_factors(user)
    services.add_passkey(user, _name(request) or "Passkey", credential)
    messages.success(request, "Passkey added")
    return show_new(request, user) if first else redirect("security")


@permissions.require("security.edit")
@require_POST
@confirmed
def rename_passkey(request: HttpRequest, passkey: int) -> HttpResponse:
    """Call it otherwise."""
    if name := _name(request):
        try:
            services.rename_passkey(viewer(request), passkey, name)
        except Authenticator.DoesNotExist:
            messages.error(request, "That passkey was removed already.")
    return redirect("security")


@permissions.require("security.edit")
@require_POST
@confirmed
def remove_passkey(request: HttpRequest, passkey: int) -> HttpResponse:
    """Forget it. There is no way back but adding it again, for which it must be at hand."""
    try:
        name = services.remove_passkey(viewer(request), passkey)
    except Authenticator.DoesNotExist:
        messages.info(request, "That passkey was removed already.")
    else:
        messages.success(request, f"{name} no longer opens your account. Remove it from your device too")
    return redirect("security")


def _name(request: HttpRequest) -> str:
    return " ".join(request.POST.get("name", "").replace("\x00", "").split())[:_NAME_CHARS]


urlpatterns = [
    path("login/passkey/", sign_in, name="passkey_sign_in"),
    path("settings/security/passkeys/", add_passkey, name="add_passkey"),
    path("settings/security/passkeys/<id:passkey>/rename/", rename_passkey, name="rename_passkey"),
    path("settings/security/passkeys/<id:passkey>/remove/", remove_passkey, name="remove_passkey"),
]
