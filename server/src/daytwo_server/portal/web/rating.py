"""How it went: a page that a link in a mail leads to, and where nothing is said before a button is pressed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from daytwo_server.portal.services import RATINGS
from daytwo_server.portal.web.common import MOST_A_MINUTE, Access, by_access, page, show
from daytwo_server.portal.web.words import word_of
from daytwo_server.tickets import services
from daytwo_server.tickets.api.customers.shown import ticket_shown
from daytwo_server.tickets.checks import RATING_COMMENT, Problems
from daytwo_server.tickets.models import Status


@page("GET", "POST", shared=True)
@by_access
def rating(request: HttpRequest, access: Access) -> HttpResponse:
    """The five, `?rating=` already chosen, and room for words. Only of what is solved; said again, it replaces."""
    if access.ticket.status not in (Status.RESOLVED, Status.CLOSED):
        return redirect(access.url())  # it was opened again since the mail
    if request.method != "POST":
        return _form(request, access, _number(request.GET.get("rating", "")) or access.ticket.rating)
    problems, chosen = Problems(), _number(request.POST.get("rating", ""))
    comment = problems.text(request.POST.get("comment"), "comment", *RATING_COMMENT)
    if chosen is None:
        problems.add("rating", "Choose one of the five.")
    if chosen is None or problems.fields:
        return _form(request, access, chosen, problems, status=422)
    try:
        services.rate(access.ticket, chosen, comment, most=MOST_A_MINUTE)
    except services.TooFast as problem:
        problems.add("rating", f"You rated often in a short time. Nothing was kept; try again in {problem.wait_s} s.")
        answer = _form(request, access, chosen, problems, status=429)
        answer.headers["Retry-After"] = str(problem.wait_s)
        return answer
    return redirect(f"{access.url()}?said=rating")


def _form(
    request: HttpRequest, access: Access, chosen: int | None, problems: Problems | None = None, *, status: int = 200
) -> HttpResponse:
    words = {
        "ticket": ticket_shown(access.ticket, ""),
        "word": word_of(access.ticket.status),
        "urls": {"ticket": access.url(), "rating": access.url("rating")},
        "ratings": RATINGS,
        "chosen": chosen,
        "comment": request.POST.get("comment", access.ticket.rating_comment),
        "problems": {name: " ".join(said) for name, said in problems.fields.items()} if problems else {},
        "most": RATING_COMMENT[1],
    }
    return show(request, "rating", words, status=status)


def _number(text: str) -> int | None:
    return int(text) if text in {"1", "2", "3", "4", "5"} else None
