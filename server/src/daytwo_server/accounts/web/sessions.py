"""Where the viewer is signed in."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts import browsers, permissions, selectors, services
from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.models import UserSession
from daytwo_server.ui.listing import Address, refusing_bad_filters


@permissions.require("profile.edit")
@require_safe
@refusing_bad_filters(box="")
def sessions(request: HttpRequest) -> HttpResponse:
    """The viewer's sessions, the one of this browser marked."""
    found = selectors.sessions_of(viewer(request), cursor=request.GET.get("cursor", ""))
    words = {
        "sessions": [(one, browsers.words(one.user_agent), _is_this(request, one)) for one in found.rows],
        "several": len(found.rows) > 1 or found.previous is not None,
        **Address(path=reverse("sessions"), params={}).pager(found),
    }
    return render(request, "accounts/sessions.html", words)


@permissions.require("profile.edit")
@require_POST
def end_session(request: HttpRequest, session: int) -> HttpResponse:
    """End one of the viewer's other sessions; this one is left by signing out."""
    found = UserSession.objects.filter(pk=session, user=viewer(request)).first()
    if found is None:
        messages.success(request, "That session was over already")
    elif _is_this(request, found):
        messages.error(request, "That is this browser. Sign out to end it.")
    else:
        services.end_session(found, actor=viewer(request))
        messages.success(request, f"{browsers.words(found.user_agent)} is signed out")
    return redirect("sessions")


@permissions.require("profile.edit")
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all of the viewer's sessions but this one."""
    ended = services.end_other_sessions(viewer(request), str(request.session.session_key))
    told = f"Signed out of {ended} other browser{'' if ended == 1 else 's'}"
    messages.success(request, told if ended else "You were signed in only here")
    return redirect("sessions")


def _is_this(request: HttpRequest, session: UserSession) -> bool:
    return session.session_key == request.session.session_key


urlpatterns = [
    path("settings/sessions/", sessions, name="sessions"),
    path("settings/sessions/<id:session>/end/", end_session, name="end_session"),
    path("settings/sessions/end-others/", end_other_sessions, name="end_other_sessions"),
]
