"""Beside the settings of mail: a test mail, and how it went."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core import conf
from daytwo_server.operate import testmail


def words(request: HttpRequest) -> dict[str, Any]:
    """How the latest test went."""
    tested = testmail.latest()
    return {
        "configured": bool(conf.current().mail_url),
        "tested": tested,
        "under_way": testmail.under_way(tested),
        "may_manage": can(request.user, "settings.manage"),
        "topic": testmail.TOPIC,
    }


def test_mail(request: HttpRequest) -> HttpResponseBase:
    """How it went, for the page to show; a POST has one sent."""
    return (_send if request.method == "POST" else _show)(request)


@require("settings.view")
@require_safe
def _show(request: HttpRequest) -> HttpResponse:
    return render(request, "operate/_test_mail.html", words(request))


@require("settings.manage")
@require_POST
def _send(request: HttpRequest) -> HttpResponse:
    if conf.current().mail_url:
        testmail.begin(viewer(request))
    else:
        messages.error(request, "Nothing was sent: no mail server is configured.")
    return redirect(reverse("operate:settings-mail"))
