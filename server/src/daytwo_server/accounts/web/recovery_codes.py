"""Recovery codes: the way in when the device is gone."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from daytwo_server.accounts import permissions, services
from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.models import User
from daytwo_server.accounts.web.proof import confirmed


def show_new(request: HttpRequest, user: User) -> HttpResponse:
    """Ten new ones, this once. Shown in the answer itself: a redirect would have to keep them somewhere."""
    codes = "\n".join(services.new_recovery_codes(user))
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "host": request.get_host()})


@permissions.require("security.edit")
@never_cache
@require_POST
@confirmed
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """In place of those before."""
    try:
        return show_new(request, viewer(request))
    except services.AccountsError as problem:
        messages.error(request, str(problem))
        return redirect("security")


urlpatterns = [path("settings/security/recovery-codes/", recovery_codes, name="recovery_codes")]
