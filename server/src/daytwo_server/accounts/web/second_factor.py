"""The second step of signing in, and the page that asks again who somebody is."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from daytwo_server.accounts import guessing, identities, permissions, selectors, services
from daytwo_server.accounts.http import focus_first_error, safe_url, viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.stages import SecondFactorStage
from daytwo_server.accounts.web import passkeys
from daytwo_server.core import preferences


class CodeForm(forms.Form):
    """A code of the app, or a recovery code. `used` is what it was a code of."""

    code = forms.CharField(
        label="Code",
        max_length=50,
        help_text="The six digits that your authenticator app shows, or one of your recovery codes.",
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def __init__(self, request: HttpRequest, user: User) -> None:
        super().__init__(request.POST if "code" in request.POST else None)
        self.request, self.user = request, user
        if selectors.second_factors(user).app is None:
            self.fields["code"].label, self.fields["code"].help_text = "Recovery code", "If your passkey is gone."
        self.used: Authenticator | None = None

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        attempt = get_adapter().count(self.request, guessing.CODE, self.user.email)
        self.used = services.use_code(self.user, code)
        if self.used is None:
            raise forms.ValidationError("That code is wrong, or was used already. Wait for the next one and try that.")
        attempt.forgive()
        return code


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, request: HttpRequest, user: User) -> None:
        super().__init__(request.POST if "password" in request.POST else None)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("incorrect_password")
        return password


@sensitive_post_parameters("code", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
@login_stage_required(stage=SecondFactorStage.key, redirect_urlname="account_login")  # type: ignore[untyped-decorator]
def second_factor(request: HttpRequest) -> HttpResponse:
    """Past the password: a code, or a passkey."""
    stage = request._login_stage  # type: ignore[attr-defined] # noqa: SLF001 - where allauth's decorator puts it
    user = stage.login.user
    if "ask" in request.POST:
        return passkeys.question(user)
    answer: HttpResponse
    if "cancel" in request.POST:
        answer = stage.abort()
        return answer
    form = CodeForm(request, user)
    used = passkeys.proven(request, user) if "credential" in request.POST else form.is_valid() and form.used
    if not used:
        return _page(request, "accounts/second_factor.html", user, form)
    record_authentication(request, user, "mfa", type=used.type, id=used.pk)
    if used.type == Authenticator.Type.RECOVERY_CODES:
        left = selectors.second_factors(user).codes_left
        messages.warning(request, f"A recovery code was used, {left} are left. Device lost? See Settings, Security")
    answer = stage.exit()
    return answer


@permissions.require("security.edit")
@never_cache
@sensitive_post_parameters("password", "code", "credential")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Is it still them? By password, else by code; by passkey; else by signing in elsewhere once more."""
    user = viewer(request)
    if "ask" in request.POST:
        return passkeys.question(user)
    form = PasswordForm(request, user) if user.has_usable_password() else CodeForm(request, user)
    right = passkeys.proven(request, user) is not None if "credential" in request.POST else form.is_valid()
    if not right:
        after = request.POST.get("next") or request.GET.get("next", "")
        return _page(request, "accounts/confirm.html", user, form, next=after)
    method = "password" if "password" in request.POST else "mfa"
    record_authentication(request, user, method, reauthenticated=True)
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("security")))


def _page(request: HttpRequest, template: str, user: User, form: forms.Form, **more: Any) -> HttpResponse:
    focus_first_error(form)
    words = {
        "form": form,
        "factors": selectors.second_factors(user),
        "has_password": user.has_usable_password(),
        "ways": identities.ways(),
        "support_email": preferences.current().support_email,
        "passkey_failed": "credential" in request.POST,
    }
    return render(request, template, words | more, status=422 if request.method == "POST" else 200)


urlpatterns = [
    path("login/second-factor/", second_factor, name="second_factor"),
    path("settings/security/confirm/", confirm, name="account_reauthenticate"),
]
