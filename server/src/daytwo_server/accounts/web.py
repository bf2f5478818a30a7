"""Pages for signing in, the first owner, one's profile and API tokens. Names are global: allauth looks them up so."""

import functools
from collections.abc import Callable

from allauth.account import views as allauth
from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, re_path, reverse, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts import context, permissions, selectors, services
from daytwo_server.accounts.forms import PASSWORD_HINT, ForgottenPasswordForm, ProfileForm, TokenForm, WelcomeForm
from daytwo_server.accounts.http import focus_first_error, go_to, safe_url
from daytwo_server.accounts.models import ApiToken, User
from daytwo_server.core import conf
from daytwo_server.ui import htmx, toasts

# -- signing in and out: allauth's views (which have no types) with our templates


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
        settings = conf.current()
        extra = {"mail": bool(settings.mail_url), "support_email": settings.support_email}
        return super().get_context_data(**kwargs) | extra  # type: ignore[misc, no-any-return]


class SignIn(_OurPage, allauth.LoginView):  # type: ignore[misc]
    template_name = "accounts/sign_in.html"


class SignOut(allauth.LogoutView):  # type: ignore[misc]
    template_name = "accounts/sign_out.html"


class Inactive(_OurPage, allauth.AccountInactiveView):  # type: ignore[misc]
    template_name = "accounts/inactive.html"


class ChangePassword(_OurPage, allauth.PasswordChangeView):  # type: ignore[misc]
    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("profile")


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


# -- the first owner


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, link: str) -> HttpResponse:
    """The one-time page on which the first owner chooses name, e-mail and password."""
    if not selectors.owner_link_is_good(link):
        return render(request, "accounts/welcome_gone.html", status=410)
    form = WelcomeForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        focus_first_error(form)
        status = 200 if request.method == "GET" else 422
        return render(request, "accounts/welcome.html", {"form": form}, status=status)
    values = form.cleaned_data
    try:
        user = services.welcome(link, name=values["name"], email=values["email"], password=values["password"])
    except services.LinkGoneError:
        return render(request, "accounts/welcome_gone.html", status=410)
    login(request, user)
    return redirect("home")


# -- one's own profile


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Switch the colours, for visitors too; leads back to where the button was."""
    chosen = request.POST.get("theme", "")
    if chosen not in User.Theme.values:
        return HttpResponse("Choose auto, light or dark.", status=400, content_type="text/plain")
    if isinstance(request.user, User):
        services.update_profile(request.user, {"theme": chosen})
    response = redirect(safe_url(request, request.POST.get("next", ""), reverse("home")))
    response.set_cookie(
        context.THEME_COOKIE, chosen, max_age=365 * 24 * 3600, samesite="Lax", secure=request.is_secure(), httponly=True
    )
    return response


@permissions.require("profile.edit")
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, colours, density, time zone and shortcuts of the viewer."""
    user: User = request.user  # type: ignore[assignment]
    initial = {field: getattr(user, field) for field in services.PROFILE_FIELDS}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "GET" or not form.is_valid():
        focus_first_error(form)
        status = 200 if request.method == "GET" else 422
        words = {"form": form, "sign_out_url": reverse("account_logout")}
        return htmx.render(request, "accounts/profile.html", "accounts/_profile_form.html", words, status=status)
    services.update_profile(user, form.cleaned_data)
    messages.success(request, "Profile saved")
    return go_to(request, reverse("profile"))


# -- API tokens


@permissions.require("tokens.manage")
@never_cache
@require_http_methods(["GET", "POST"])
def api_tokens(request: HttpRequest) -> HttpResponse:
    """The list, and the one moment in which a new token's text is shown."""
    form = TokenForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        status = 200 if request.method == "GET" else 422
        return _tokens_page(request, form, status=status)
    # Shown in the answer itself: a redirect would have to keep the secret somewhere until the next request.
    _, raw = services.create_token(
        form.cleaned_data["label"], scopes=form.chosen_scopes(), expires_at=form.expires_at(), actor=_viewer(request)
    )
    return _tokens_page(request, TokenForm(), raw=raw)


def _tokens_page(request: HttpRequest, form: TokenForm, *, raw: str = "", status: int = 200) -> HttpResponse:
    focus_first_error(form)
    words = {"form": form, "tokens": selectors.listed_tokens(), "raw": raw}
    return htmx.render(request, "accounts/tokens.html", "accounts/_tokens.html", words, status=status)


@permissions.require("tokens.manage")
@require_POST
def revoke_token(request: HttpRequest, token: int) -> HttpResponse:
    """Stop a token; its row offers the way back for ten minutes."""
    found = get_object_or_404(ApiToken, pk=token)
    services.revoke_token(found, actor=_viewer(request))
    toasts.undoable(request, f"{found.label} was revoked", reverse("restore_token", args=[found.pk]))
    return go_to(request, reverse("api_tokens"))


@permissions.require("tokens.manage")
@require_POST
def restore_token(request: HttpRequest, token: int) -> HttpResponse:
    """Undo a revocation."""
    found = get_object_or_404(ApiToken, pk=token)
    try:
        services.restore_token(found, actor=_viewer(request))
    except services.AccountsError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"{found.label} works again")
    return go_to(request, reverse("api_tokens"))


def _viewer(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # `require` let nobody else in
    return request.user


_RESET_KEY = r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"

urlpatterns = [
    path("login/", SignIn.as_view(), name="account_login"),
    path("logout/", SignOut.as_view(), name="account_logout"),
    path("login/inactive/", Inactive.as_view(), name="account_inactive"),
    path(
        "password/change/",
        permissions.require("profile.edit")(ChangePassword.as_view()),
        name="account_change_password",
    ),
    path("password/reset/", _with_mail(ResetPassword.as_view()), name="account_reset_password"),
    path("password/reset/sent/", _with_mail(ResetPasswordSent.as_view()), name="account_reset_password_done"),
    path("password/reset/done/", _with_mail(ResetPasswordDone.as_view()), name="account_reset_password_from_key_done"),
    re_path(_RESET_KEY, _with_mail(ResetPasswordFromMail.as_view()), name="account_reset_password_from_key"),
    path("welcome/<str:link>/", welcome, name="welcome"),
    path("theme/", theme, name="theme"),
    path("profile/", profile, name="profile"),
    path("settings/tokens/", api_tokens, name="api_tokens"),
    path("settings/tokens/<int:token>/revoke/", revoke_token, name="revoke_token"),
    path("settings/tokens/<int:token>/restore/", restore_token, name="restore_token"),
]
