"""A link for a member who lost their password, and the page it leads to."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from daytwo_server.accounts import permissions, services
from daytwo_server.accounts.forms import NewPasswordForm
from daytwo_server.accounts.http import absolute, focus_first_error, viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.web.proof import confirmed


@permissions.require("members.manage")
@never_cache
@require_POST
@confirmed
def make_password_link(request: HttpRequest, person: int) -> HttpResponse:
    """Show the link, this one time."""
    found = get_object_or_404(User, pk=person)
    try:
        link = services.password_link(found, actor=viewer(request))
    except services.AccountsError as problem:
        messages.error(request, str(problem))
        return redirect("member", found.pk)
    words = {"person": found, "link": absolute(reverse("choose_password", args=[link]))}
    return render(request, "accounts/password_link.html", words)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def choose_password(request: HttpRequest, link: str) -> HttpResponse:
    """Where the link leads. Nobody is signed in by it: a second factor may stand before that."""
    person = services.person_of_password_link(link)
    if person is None:
        return render(request, "accounts/password_choose.html", status=410)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, person)
    try:
        if form.is_valid():
            services.choose_password(link, form.cleaned_data["password"])
            return render(request, "accounts/password_reset_done.html")
    except services.LinkGoneError:
        return render(request, "accounts/password_choose.html", status=410)
    focus_first_error(form)
    words = {"form": form, "person": person}
    return render(request, "accounts/password_choose.html", words, status=422 if form.errors else 200)


urlpatterns = [
    path("settings/members/<id:person>/password-link/", make_password_link, name="make_password_link"),
    path("password/choose/<str:link>/", choose_password, name="choose_password"),
]
