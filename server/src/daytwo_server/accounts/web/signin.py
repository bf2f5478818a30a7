"""Signing in and out and passwords: allauth's views (which have no types) with our templates."""

import functools
from collections.abc import Callable

from allauth.account import views as allauth
from allauth.core.internal import ratelimit
from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path, re_path, reverse_lazy

from daytwo_server.accounts import guessing, identities, permissions, selectors
from daytwo_server.accounts.adapter import network
from daytwo_server.accounts.forms import PASSWORD_HINT, ForgottenPasswordForm
from daytwo_server.accounts.http import focus_first_error
from daytwo_server.accounts.web import passkeys
from daytwo_server.core import conf, preferences


class _OurPage:
    """What our templates need of allauth's views: 422 for a form shown again, plain hints, where to get help."""

    def get_form(self, form_class: type[forms.Form] | None = None) -> forms.Form:
        form: forms.Form = super().get_form(form_class)  # type: ignore[misc]
        for name, field in form.fields.items():
            field.widget.attrs.pop("placeholder", None)  # repeats the label
            field.help_text = PASSWORD_HINT if name == "password1" else ""  # allauth's own are HTML
            if name in {"login", "email"}:
                field.label = "E-mail"
        return form

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        focus_first_error(form)
        return self.render_to_response(self.get_context_data(form=form), status=422)  # type: ignore[attr-defined, no-any-return]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        settings = preferences.current()
        extra = {"mail": bool(settings.mail_url), "support_email": settings.support_email}
        return super().get_context_data(**kwargs) | extra  # type: ignore[misc, no-any-return]


class SignIn(_OurPage, allauth.LoginView):  # type: ignore[misc]
    template_name = "accounts/sign_in.html"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if guessing.in_a_hurry(request, "sign-in", network(request)):
            return ratelimit.respond_429(request)  # type: ignore[no-any-return]
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        asks = passkeys.possible(self.request) and selectors.anybody_has_a_passkey()
        found = super().get_context_data(**kwargs)
        if asks:  # browsers then offer passkeys where the address is typed
            found["form"].fields["login"].widget.attrs["autocomplete"] = "username webauthn"  # type: ignore[attr-defined]
        return found | {"passkeys": asks, "ways": identities.ways()}


class SignOut(allauth.LogoutView):  # type: ignore[misc]
    template_name = "accounts/sign_out.html"


class Inactive(_OurPage, allauth.AccountInactiveView):  # type: ignore[misc]
    template_name = "accounts/inactive.html"


class ChangePassword(_OurPage, allauth.PasswordChangeView):  # type: ignore[misc]
    """Whoever has no password, as they came by another service, is led to setting one: allauth sees to that."""

    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("security")


class ResetPassword(_OurPage, allauth.PasswordResetView):  # type: ignore[misc]
    form_class = ForgottenPasswordForm
    template_name = "accounts/password_reset.html"


class ResetPasswordSent(allauth.PasswordResetDoneView):  # type: ignore[misc]
    template_name = "accounts/password_reset_sent.html"


class ResetPasswordFromMail(_OurPage, allauth.PasswordResetFromKeyView):  # type: ignore[misc]
    template_name = "accounts/password_reset_from_mail.html"


class ResetPasswordDone(allauth.PasswordResetFromKeyDoneView):  # type: ignore[misc]
    template_name = "accounts/password_reset_done.html"


def _with_mail(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The page exists only where a mail server is configured: elsewhere it would promise a mail that never comes."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not conf.current().mail_url:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


_RESET_KEY = r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"

urlpatterns = [
    path("login/", SignIn.as_view(), name="account_login"),
    path("logout/", SignOut.as_view(), name="account_logout"),
    path("login/inactive/", Inactive.as_view(), name="account_inactive"),
    path(
        "password/change/",
        permissions.require("security.edit")(ChangePassword.as_view()),
        name="account_change_password",
    ),
    path("password/reset/", _with_mail(ResetPassword.as_view()), name="account_reset_password"),
    path("password/reset/sent/", _with_mail(ResetPasswordSent.as_view()), name="account_reset_password_done"),
    path("password/reset/done/", _with_mail(ResetPasswordDone.as_view()), name="account_reset_password_from_key_done"),
    re_path(_RESET_KEY, _with_mail(ResetPasswordFromMail.as_view()), name="account_reset_password_from_key"),
]
