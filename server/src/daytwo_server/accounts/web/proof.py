"""Asking again who somebody is, before something that opens or locks their account."""

import functools
import urllib.parse
from collections.abc import Callable
from typing import TypeVar, cast

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from daytwo_server.accounts.http import go_to, safe_url

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def confirmed(view: View) -> View:
    """Let only those through who signed in, or confirmed that it is them, within ten minutes. Below `require`.

    Others come back to the page, or to the one with the form, which they have to send again.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if get_adapter().is_reauthentication_required(app=""):
            return _ask(request)
        return view(request, *args, **kwargs)

    return cast("View", guarded)  # the same arguments, and answers of the same kind


def _ask(request: HttpRequest) -> HttpResponse:
    page = request.get_full_path() if request.method in {"GET", "HEAD"} else request.headers.get("Referer", "")
    back = urllib.parse.urlencode({"next": safe_url(request, page, reverse("security"))})
    return go_to(request, f"{reverse('account_reauthenticate')}?{back}")
