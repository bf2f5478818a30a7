"""The way into the settings. Their sections are pages of many rooms, see `ui.nav.register_section`."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require


@require("settings.view")
@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """Every section that the viewer may open."""
    return render(request, "accounts/settings.html")


urlpatterns = [path("settings/", settings, name="settings")]
