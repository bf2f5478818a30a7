"""Coming in by GitHub or OpenID Connect. Who is let in, and as whom, says `accounts.identities`."""

import functools
import threading
from collections.abc import Callable
from typing import Any

from allauth.core.internal import ratelimit
from allauth.socialaccount.adapter import get_adapter
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

import daytwo
from daytwo_server.accounts import guessing, identities, permissions
from daytwo_server.accounts.adapter import network
from daytwo_server.accounts.http import safe_url
from daytwo_server.accounts.web.passkeys import briefly
from daytwo_server.accounts.web.proof import confirmed

log = daytwo.get_logger("daytwo.web")
# A provider that hangs holds a page thread for seconds: others stay free, whatever visitors press.
_at_once = threading.BoundedSemaphore(2)


def _carefully(view: Callable[[HttpRequest, Any], HttpResponse]) -> Callable[..., HttpResponse]:
    """Find the provider, 404 for one that is not configured, and answer in words whatever it does."""

    @never_cache
    @functools.wraps(view)
    def guarded(request: HttpRequest, provider: str) -> HttpResponse:
        if provider not in identities.ways():
            raise Http404
        if guessing.in_a_hurry(request, "sign-in", network(request)):
            return ratelimit.respond_429(request)  # type: ignore[no-any-return]
        if not _at_once.acquire(blocking=False):
            return _trouble(request, provider, "is busy: others sign in there right now. Try again in a moment.", 503)
        try:
            return _told(request, provider, view)
        finally:
            _at_once.release()

    return guarded


def _told(request: HttpRequest, provider: str, view: Callable[[HttpRequest, Any], HttpResponse]) -> HttpResponse:
    from allauth.socialaccount.providers.oauth2.client import OAuth2Error  # late: it loads a library for HTTP
    from requests import RequestException

    try:
        return view(request, get_adapter().get_provider(request, provider))
    except (RequestException, OAuth2Error, LookupError, TypeError, ValueError, AttributeError) as problem:
        # The last four: it answered something else than the protocol says.
        log.error("a provider cannot be used", problem, provider=provider)
        return _trouble(
            request, provider, "does not answer as it should. `daytwo doctor` says more to the operator.", 502
        )


def _trouble(request: HttpRequest, provider: str, words: str, status: int) -> HttpResponse:
    return identities.refuse(request, "You are not signed in", f"{identities.ways()[provider]} {words}", status=status)


@require_POST
@_carefully
def sign_in_with(request: HttpRequest, provider: Any) -> HttpResponse:
    """Leave for the provider, to sign in."""
    briefly(request)
    return _leave(request, provider, process="login", next_url=safe_url(request, request.POST.get("next", ""), ""))


@permissions.require("security.edit")
@require_POST
@confirmed
@_carefully
def connect_identity(request: HttpRequest, provider: Any) -> HttpResponse:
    """Leave for the provider, to have its account open this one too."""
    return _leave(request, provider, process=identities.CONNECT, next_url="")


def _leave(request: HttpRequest, provider: Any, *, process: str, next_url: str) -> HttpResponse:
    """By a page that goes on by itself: a form may not lead to another host, says our content security policy."""
    there = provider.redirect(request, process=process, next_url=next_url or None)["Location"]
    return render(request, "accounts/leave.html", {"url": there, "name": provider.app.name})


@require_safe
@_carefully
def come_back(request: HttpRequest, provider: Any) -> HttpResponse:
    """The provider has sent them back, with a code that is exchanged for who they are."""
    from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView

    answer: HttpResponse = OAuth2CallbackView.adapter_view(provider.get_oauth2_adapter(request))(request)
    return answer


urlpatterns = [
    path("login/with/<str:provider>/", sign_in_with, name="sign_in_with"),
    path("login/with/<str:provider>/callback/", come_back, name="sign_in_with_callback"),
    path("settings/security/identities/<str:provider>/connect/", connect_identity, name="connect_identity"),
]
