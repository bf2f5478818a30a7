"""Coming in, the list of one's own requests, and leaving."""

from __future__ import annotations

import math

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from daytwo_server.accounts.http import client_address
from daytwo_server.core.pages import BadCursor
from daytwo_server.customers import tokens
from daytwo_server.customers.identity import email
from daytwo_server.mail.services import BadAddress
from daytwo_server.portal import services
from daytwo_server.portal.models import Session
from daytwo_server.portal.selectors import reader
from daytwo_server.portal.services.entering import address_in
from daytwo_server.portal.web.common import COOKIE, page, session_of, show, signed_in, signed_out
from daytwo_server.portal.web.words import word_of
from daytwo_server.tickets.api.customers.shown import ticket_shown
from daytwo_server.tickets.selectors import customers as tickets

PAGE = 20  # requests


@page("GET", "POST", shared=True)
def home(request: HttpRequest) -> HttpResponse:
    """Own requests, newest first; without a session, the way in. `jwt`, in a form or the address, is the app's."""
    if token := request.POST.get("jwt") or request.GET.get("jwt"):
        return _by_token(request, token)
    if request.method == "POST":
        return show(request, "sign_in", {"problem": "This sign-in holds no token."}, status=422)
    session = session_of(request)
    return _own(request, session) if session else show(request, "sign_in")


def _by_token(request: HttpRequest, token: str) -> HttpResponse:
    """Exchanged at once: the token stays in no address and in no history."""
    try:
        cookie = services.enter_vouched(tokens.named_by(token))
    except (tokens.NoToken, tokens.BadToken):
        words = {
            "problem": "This sign-in is not valid any more. Go back to the app and open the page from there again."
        }
        return show(request, "sign_in", words, status=422)
    services.leave(request.COOKIES.get(COOKIE, ""))
    return signed_in(redirect("portal:home"), cookie)


def _own(request: HttpRequest, session: Session) -> HttpResponse:
    try:
        found = tickets.own_tickets(reader(session), cursor=request.GET.get("cursor", ""), limit=PAGE)
    except BadCursor:
        return redirect("portal:home")
    rows = [
        {"ticket": shown, "url": reverse("portal:ticket", args=[str(shown.id)]), "word": word_of(shown.status)}
        for shown in (ticket_shown(one, one.description) for one in found.rows)  # type: ignore[attr-defined]
    ]
    return show(request, "list", {"rows": rows, "newer": found.previous, "older": found.next})


@page("POST")
def link(request: HttpRequest) -> HttpResponse:
    """Ask for a link. The answer is the same whoever asks for whom."""
    typed = request.POST.get("email", "")
    address = email(typed)
    try:
        validate_email(address)
        services.ask_for_link(address, client=client_address(request))
    except (ValidationError, BadAddress):
        words = {"typed": typed[:254], "problem": "Write your e-mail address, like dana@example.com."}
        return show(request, "sign_in", words, status=422)
    except services.TooOften as problem:
        minutes = math.ceil(problem.after.total_seconds() / 60)
        words = {
            "typed": typed[:254],
            "problem": f"Too many links were asked for from here. Try again in {minutes} min.",
        }
        answer = show(request, "sign_in", words, status=429)
        answer.headers["Retry-After"] = str(math.ceil(problem.after.total_seconds()))
        return answer
    return show(request, "sent", {"address": address})


@page("GET")
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """What the link in the mail leads to: a button. Programs that check mail open links, and press no buttons."""
    try:
        address = address_in(token)
    except services.LinkGone:
        return _gone(request)
    return show(request, "enter", {"address": address, "token": token})


@page("POST")
def sign_in(request: HttpRequest) -> HttpResponse:
    """The button. The token comes in the form, so that an address with it is asked for once."""
    try:
        cookie = services.enter(request.POST.get("token", ""))
    except services.LinkGone:
        # Pressed twice: the first one has signed them in.
        return redirect("portal:home") if session_of(request) else _gone(request)
    services.leave(request.COOKIES.get(COOKIE, ""))
    return signed_in(redirect("portal:home"), cookie)


def _gone(request: HttpRequest) -> HttpResponse:
    return show(
        request, "sign_in", {"problem": "This link was used already, or is too old. Have a new one sent."}, status=410
    )


@page("POST")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session of this browser."""
    services.leave(request.COOKIES.get(COOKIE, ""))
    return signed_out(redirect("portal:home"))
