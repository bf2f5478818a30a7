"""One's own profile."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts import context, permissions, services
from daytwo_server.accounts.forms import EmailForm, NewPasswordForm, ProfileForm
from daytwo_server.accounts.http import focus_first_error, go_to, safe_url, viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.web.proof import confirmed
from daytwo_server.ui import htmx


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
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, colours, density, time zone and shortcuts of the viewer."""
    user = viewer(request)
    initial = {field: getattr(user, field) for field in services.PROFILE_FIELDS}
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method != "POST" or not form.is_valid():
        focus_first_error(form)
        status = 422 if request.method == "POST" else 200
        words = {"form": form, "sign_out_url": reverse("account_logout")}
        return htmx.render(request, "accounts/profile.html", "accounts/_profile_form.html", words, status=status)
    services.update_profile(user, form.cleaned_data)
    messages.success(request, "Profile saved")
    return go_to(request, reverse("profile"))


@permissions.require("profile.edit")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """Another e-mail address, for which the password is asked."""
    user = viewer(request)
    if not user.has_usable_password():
        return redirect("account_set_password")
    form = EmailForm(request.POST if request.method == "POST" else None, request)
    try:
        if form.is_valid():
            services.change_email(user, form.cleaned_data["email"])
            messages.success(request, "E-mail changed: sign in with it from now on")
            return go_to(request, reverse("profile"))
    except services.AccountsError as problem:
        form.add_error("email", str(problem))
    focus_first_error(form)
    words = {"form": form}
    return render(request, "accounts/email.html", words, status=422 if form.errors else 200)


@permissions.require("profile.edit")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest) -> HttpResponse:
    """A first password, for somebody who came in through another service; allauth sends people here by its name."""
    return redirect("account_change_password") if viewer(request).has_usable_password() else _first_password(request)


@confirmed  # or whoever finds a session left open could lock its owner out
def _first_password(request: HttpRequest) -> HttpResponse:
    user = viewer(request)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, user)
    if form.is_valid():
        services.set_password(user, form.cleaned_data["password"])
        update_session_auth_hash(request, user)
        messages.success(request, "Password set: you can sign in with it too")
        return go_to(request, reverse("profile"))
    focus_first_error(form)
    return render(request, "accounts/password_set.html", {"form": form}, status=422 if form.errors else 200)


urlpatterns = [
    path("theme/", theme, name="theme"),
    path("profile/", profile, name="profile"),
    path("profile/email/", email, name="change_email"),
    path("password/set/", set_password, name="account_set_password"),
]
