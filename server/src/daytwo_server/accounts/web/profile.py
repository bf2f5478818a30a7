"""One's own profile."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts import context, permissions, services
from daytwo_server.accounts.forms import ProfileForm
from daytwo_server.accounts.http import focus_first_error, go_to, safe_url
from daytwo_server.accounts.models import User
from daytwo_server.accounts.web.common import viewer
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
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, colours, density, time zone and shortcuts of the viewer."""
    user = viewer(request)
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


urlpatterns = [
    path("theme/", theme, name="theme"),
    path("profile/", profile, name="profile"),
]
