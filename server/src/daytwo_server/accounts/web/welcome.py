"""The one-time page of the first owner."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from daytwo_server.accounts import selectors, services
from daytwo_server.accounts.forms import WelcomeForm
from daytwo_server.accounts.http import focus_first_error


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, link: str) -> HttpResponse:
    """The one-time page on which the first owner chooses name, e-mail and password."""
    if not selectors.owner_link_is_good(link):
        return render(request, "accounts/welcome_gone.html", status=410)
    form = WelcomeForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        focus_first_error(form)
        status = 422 if request.method == "POST" else 200
        return render(request, "accounts/welcome.html", {"form": form}, status=status)
    values = form.cleaned_data
    try:
        user = services.welcome(link, name=values["name"], email=values["email"], password=values["password"])
    except services.LinkGoneError:
        return render(request, "accounts/welcome_gone.html", status=410)
    login(request, user)
    return redirect("home")


urlpatterns = [
    path("welcome/<str:link>/", welcome, name="welcome"),
]
