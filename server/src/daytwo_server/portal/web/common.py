"""What all pages of customers have in common: the switch, the headers, the session, and how something is refused."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from daytwo_server.accounts import services as accounts
from daytwo_server.core import preferences
from daytwo_server.portal import addresses, selectors
from daytwo_server.portal.models import Session
from daytwo_server.portal.selectors import reader
from daytwo_server.tickets import capability
from daytwo_server.tickets.checks import Problems
from daytwo_server.tickets.files import MAX_FILES, File
from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.selectors import customers as tickets
from daytwo_server.tickets.selectors.customers import Reader

COOKIE = "daytwo_help"
MAX_BYTES = 25 * 1024 * 1024
MOST_A_MINUTE = 6  # that one customer says here: people write
# Not a script, not a frame, nothing of anybody else's.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
Words = dict[str, Any]
View = Callable[..., HttpResponseBase]
Answer = TypeVar("Answer", bound=HttpResponseBase)


def page(*methods: str, shared: bool = False) -> Callable[[View], View]:
    """Guard a page: 404 while the portal is off, 405 for other methods, and the headers that all of them have.

    Each form shows that it is ours by Django's token, as those of members do; with `shared` the view sees to it itself
    by `by_form`, because a key in the request opens it, which no other site can know.
    """
    allowed = ("HEAD", *methods) if "GET" in methods else methods

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not addresses.is_open():
                raise Http404
            if request.method not in allowed:
                answer: HttpResponseBase = show(request, "method", status=405)
                answer.headers["Allow"] = ", ".join(allowed)
            else:
                answer = _answered(view, request, *args, **kwargs)
            return with_headers(answer)

        return csrf_exempt(guarded) if shared else guarded

    return guard


def _answered(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    try:
        return view(request, *args, **kwargs)
    except Http404:
        return show(request, "gone", status=404)


def with_headers(answer: Answer) -> Answer:
    """What all pages of customers say about themselves."""
    answer.headers["Cache-Control"] = "no-store, private"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers.setdefault("Content-Security-Policy", POLICY)
    # Of an address of ours nothing but the host leaves. `no-referrer` would also take the origin from forms, by which
    # they are known to be ours; pages with a token in their address need none, and say so.
    answer.headers.setdefault("Referrer-Policy", "strict-origin")
    return answer


def by_form(view: View) -> View:
    """Only from a form of ours."""
    protected: View = csrf_protect(view)
    return protected


@page("GET", "POST", shared=True)
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    """Whatever else is asked for below /help."""
    raise Http404


def show(request: HttpRequest, name: str, words: Words | None = None, *, status: int = 200) -> HttpResponse:
    """A page of the portal. Not `render`: what stands around members' pages has no business here."""
    # Who follows the link of a mail is nobody in particular there, and the form for signing out would be refused: pages
    # that send no referrer send no origin either.
    session = None if hasattr(request, "portal_by_token") else session_of(request)
    whole = {
        "brand": accounts.workspace().name,
        "can_mail": bool(preferences.current().mail_url),
        # What is written to the support address becomes no ticket.
        "support_email": preferences.current().mail_inbound or preferences.current().support_email,
        "session": session,
        "who": (session.address or session.customer.title) if session else "",
        "csrf_token": get_token(request),
        **(words or {}),
    }
    return HttpResponse(render_to_string(f"portal/{name}.html", whole), status=status)


def session_of(request: HttpRequest) -> Session | None:
    """Who is signed in here. One query a request, and none without the cookie."""
    if not hasattr(request, "portal_session"):
        cookie = request.COOKIES.get(COOKIE, "")
        request.portal_session = selectors.session_of(cookie)  # type: ignore[attr-defined]
    found: Session | None = request.portal_session  # type: ignore[attr-defined]
    return found


def signed_in(answer: HttpResponse, cookie: str) -> HttpResponse:
    """The answer with the cookie of a session: the portal's own, which opens no page of members."""
    answer.set_cookie(
        COOKIE, cookie, max_age=30 * 24 * 3600, path=_path(), secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True, samesite="Lax",
    )  # fmt: skip
    return answer


def signed_out(answer: HttpResponse) -> HttpResponse:
    answer.delete_cookie(COOKIE, path=_path(), samesite="Lax")
    return answer


def _path() -> str:
    return reverse("portal:home").rstrip("/")


@dataclass(frozen=True)
class Access:
    """One ticket and how somebody got to it: `code` is what stands in its address, a token or its id."""

    ticket: Ticket
    code: str
    by_token: bool

    def url(self, name: str = "ticket", *more: str) -> str:
        return reverse(f"portal:{name}", args=[self.code, *more])

    def url_of(self, ticket: Ticket) -> str:
        """The page of the ticket in which something was said by this way in."""
        if ticket.pk == self.ticket.pk:
            return self.url()
        code = capability.token(ticket) if self.by_token else str(ticket.uid)
        return reverse("portal:ticket", args=[code])


def access_to(request: HttpRequest, code: str) -> Access:
    """The ticket that a token opens, or that of this id of whoever is signed in. Raises `Http404`: for what is not
    there, what is another's, and what has ended alike.
    """
    if opened := capability.read(code):
        return Access(opened, capability.token(opened) if opened.pk != _number(code) else code, by_token=True)
    session = session_of(request)
    found = tickets.own_ticket(reader(session) if session else Reader(), code) if len(code) == 36 else None
    if found is None:
        raise Http404
    return Access(found, str(found.uid), by_token=False)


def _number(code: str) -> int:
    return int(code.partition("-")[0])


def by_access(view: View) -> View:
    """A page of one ticket, which gets the `Access`. A token in the address is a key that no other site knows; a cookie
    goes along with the forms of others too, so there the form has to be ours.
    """

    def run(request: HttpRequest, code: str, **more: str) -> HttpResponseBase:
        access = access_to(request, code)
        if access.by_token:
            request.portal_by_token = True  # type: ignore[attr-defined]
        answer = (view if access.by_token else by_form(view))(request, access, **more)
        if access.by_token:
            answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    return functools.wraps(view)(run)


def files_of(request: HttpRequest, problems: Problems) -> list[File]:
    """The files of a form."""
    sent = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]
    if len(sent) > MAX_FILES:
        problems.add("files", f"At most {MAX_FILES} files at once.")
    return [File(file.name or "", file.content_type or "", file.chunks()) for file in sent]


def names_of(request: HttpRequest) -> list[str]:
    """What was attached to a form that comes back: no browser attaches it again by itself."""
    return [file.name or "" for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]


def too_large(request: HttpRequest) -> bool:
    return int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES


def seconds_to_wait(customer: int) -> int:
    """How long a customer who says much has to wait; 0 when they may go on."""
    return math.ceil(tickets.seconds_to_wait(customer, most=MOST_A_MINUTE, window_s=60))


def to_sign_in() -> HttpResponse:
    return redirect("portal:home")


def problems_of(problems: Problems, *, fields: Sequence[str]) -> Words:
    """What is wrong, by field, and the first of `fields` that is: there the cursor goes."""
    wrong = {name: " ".join(words) for name, words in problems.fields.items()}
    return {"problems": wrong, "first": next((name for name in fields if name in wrong), "")}
