"""Settings, Security: all the ways into one's own account. And the help an admin gives who lost theirs."""

from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts import identities, permissions, selectors, services
from daytwo_server.accounts.adapter import SecondFactorAdapter
from daytwo_server.accounts.http import focus_first_error, safe_url, viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.web import passkeys
from daytwo_server.accounts.web.proof import confirmed
from daytwo_server.accounts.web.recovery_codes import show_new
from daytwo_server.ui import toasts

_SECRET = "second_factor_secret"  # noqa: S105 - where the session has it until the app has shown a code of it


class AppForm(forms.Form):
    code = forms.CharField(
        label="Code that the app shows now",
        max_length=20,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@permissions.require("security.edit")
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """What opens this account."""
    user = viewer(request)
    connected = selectors.identities(user)
    words = {
        "factors": selectors.second_factors(user),
        "all_codes": selectors.RECOVERY_CODES,
        "due": permissions.second_factor_is_due(user),
        "passkeys_possible": passkeys.possible(request),
        "has_password": user.has_usable_password(),
        "identities": [(one, identities.ways().get(one.provider, one.provider)) for one in connected],
        "ways": {way: name for way, name in identities.ways().items() if way not in {c.provider for c in connected}},
    }
    return render(request, "accounts/security.html", words)


# ---- Authenticator app ----


@permissions.require("security.edit")
@never_cache
@confirmed
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def add_app(request: HttpRequest) -> HttpResponse:
    """Show the secret as a picture and as text; switch on once the app has shown a code of it."""
    user = viewer(request)
    first = not selectors.second_factors(user)
    secret = request.session.setdefault(_SECRET, generate_totp_secret())
    form = AppForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            services.switch_on_app(user, secret, form.cleaned_data["code"])
        except services.WrongCodeError as wrong:
            form.add_error("code", str(wrong))
        else:
            del request.session[_SECRET]
            messages.success(request, "Signing in asks for a code of the app from now on")
            return show_new(request, user) if first else redirect("security")
    focus_first_error(form)
    words = {
        "form": form,
        "picture": _qr_code(SecondFactorAdapter().build_totp_url(user, secret)),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    }
    return render(request, "accounts/add_app.html", words, status=422 if form.errors else 200)


def _qr_code(text: str) -> SafeString:
    """A picture for the camera: black on white in dark pages too, with the quiet zone of four modules around it."""
    import qrcode

    code = qrcode.QRCode(border=4)
    code.add_data(text)
    rows = code.get_matrix()
    squares = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return format_html(
        '<svg viewBox="0 0 {0} {0}" width="220" height="220" role="img" aria-label="QR code with the secret" '
        'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{0}v{0}H0z"/><path d="{1}"/></svg>',
        len(rows), mark_safe("".join(squares)),  # noqa: S308 - numbers and four letters
    )  # fmt: skip


@permissions.require("security.edit")
@require_POST
@confirmed
def remove_app(request: HttpRequest) -> HttpResponse:
    """Forget the app."""
    services.switch_off_app(viewer(request))
    messages.success(request, "The authenticator app is removed")
    return redirect("security")


# ---- Connected accounts ----


@permissions.require("security.edit")
@require_POST
@confirmed
def disconnect_identity(request: HttpRequest, identity: int) -> HttpResponse:
    """It opens this account no longer."""
    try:
        services.disconnect(viewer(request), identity)
    except SocialAccount.DoesNotExist:
        messages.info(request, "That account was disconnected already.")
    except services.AccountsError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, "Disconnected")
    return redirect("security")


# ---- For somebody who lost it all ----


@permissions.require("members.manage")
@require_POST
@confirmed
def reset_second_factor(request: HttpRequest, person: int) -> HttpResponse:
    """Let somebody in with the password alone again, and sign them out everywhere."""
    found = get_object_or_404(User, pk=person, membership__isnull=False)
    with toasts.telling(request, services.AccountsError):
        count = services.reset_second_factor(found, actor=viewer(request))
        messages.success(request, f"{found} signs in with the password alone now" if count else f"{found} had none")
    return redirect(safe_url(request, request.headers.get("Referer", ""), reverse("members")))


urlpatterns = [
    path("settings/security/", security, name="security"),
    path("settings/security/app/", add_app, name="add_app"),
    path("settings/security/app/remove/", remove_app, name="remove_app"),
    path("settings/security/identities/<id:identity>/disconnect/", disconnect_identity, name="disconnect_identity"),
    path("settings/members/<id:person>/second-factor/reset/", reset_second_factor, name="reset_second_factor"),
]
