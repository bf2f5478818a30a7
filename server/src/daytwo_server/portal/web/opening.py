"""A new request."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from daytwo_server.customers.models import Customer
from daytwo_server.portal import services as portal
from daytwo_server.portal import spam
from daytwo_server.portal.models import Session
from daytwo_server.portal.web.common import (
    Words,
    files_of,
    names_of,
    page,
    problems_of,
    seconds_to_wait,
    session_of,
    show,
    to_sign_in,
    too_large,
)
from daytwo_server.tickets import services
from daytwo_server.tickets.api.customers.bodies import where_from
from daytwo_server.tickets.checks import DESCRIPTION, SUBJECT, Invalid, Problems
from daytwo_server.tickets.models import Category, Channel
from daytwo_server.tickets.services import POSSIBLE_SPAM, NewTicket

FIELDS = ("subject", "description", "category", "files")
_HURRY = "This came faster than people write, so it was not sent yet. Please press the button once more."


@page("GET", "POST")
def new(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of it. What is refused comes back as it was typed."""
    session = session_of(request)
    if session is None:
        return to_sign_in()
    if request.method != "POST":
        return _form(request)
    if too_large(request):
        return _form(request, {"problem": "The files are larger than 25 MB together. Nothing was sent."}, status=413)
    problems = Problems()
    try:
        wanted = _wanted(request, session, problems)
    except Invalid:
        return _form(request, problems_of(problems, fields=FIELDS), status=422)
    customer = portal.writer(session)
    refused = _refused(request, customer)
    return refused or redirect(f"{reverse('portal:ticket', args=[_open(wanted, customer)])}?said=new")


def _refused(request: HttpRequest, customer: Customer) -> HttpResponse | None:
    """What keeps programs out, and people who write too much at once."""
    # A field that people do not see, and the time that they need: programs fill the one and do not take the other.
    if request.POST.get("website") or spam.in_a_hurry(request.POST.get("begun", "")):
        return _form(request, {"problem": _HURRY}, status=422)
    if wait_s := seconds_to_wait(customer.pk):
        answer = _form(request, {"problem": f"You wrote a lot in a short time. Try again in {wait_s} s."}, status=429)
        answer.headers["Retry-After"] = str(wait_s)
        return answer
    return None


def _wanted(request: HttpRequest, session: Session, problems: Problems) -> NewTicket:
    sent = request.POST
    wanted = NewTicket(
        subject=problems.subject(sent.get("subject")),
        content=problems.text(sent.get("description"), "description", *DESCRIPTION),
        category=problems.choice(sent.get("category"), "category", Category, Category.OTHER),
        channel=Channel.WEB,
        metadata={name: words for name, words in where_from(request).items() if name == "userAgent"},
        project=session.project,
        files=files_of(request, problems),
    )
    problems.raise_any()
    return wanted


@transaction.atomic
def _open(wanted: NewTicket, customer: Customer) -> str:
    ticket, _ = services.open_ticket(wanted, customer=customer)
    if spam.score(wanted.subject, wanted.content) >= spam.SUSPICIOUS:
        services.mark(ticket, POSSIBLE_SPAM)
    return str(ticket.uid)


def _form(request: HttpRequest, more: Words | None = None, *, status: int = 200) -> HttpResponse:
    sent = request.POST
    words = {
        "subject": sent.get("subject", ""),
        "description": sent.get("description", ""),
        "category": sent.get("category", Category.OTHER),
        "categories": Category.choices,
        "chosen": names_of(request),
        "begun": spam.begun(),
        "subject_length": SUBJECT,
        "description_length": DESCRIPTION,
        **(more or {}),
    }
    return show(request, "new", words, status=status)
