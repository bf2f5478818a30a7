"""The page about backups."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.operate.backup import runs
from daytwo_server.operate.backup.overview import overview as find
from daytwo_server.ui import htmx


@require("backup.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """How it stands; a POST begins a backup."""
    if request.method == "POST":
        return _begin(request)
    words = {"backup": find(), "example": "DAYTWO_BACKUP_DIR=/var/backups/daytwo"}
    return htmx.render(request, "operate/backup.html", "operate/_backup.html", words)


def _begin(request: HttpRequest) -> HttpResponse:
    if runs.folder() is None:
        messages.error(request, "Nothing was begun: DAYTWO_BACKUP_DIR names no folder to write to.")
    elif runs.begin_now(viewer(request)):
        messages.success(request, "The backup begins")
    else:
        messages.success(request, "A backup is under way already")
    return redirect(reverse("operate:backup"))
