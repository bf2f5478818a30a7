"""One request: what was said in public, and saying something."""

from __future__ import annotations

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from daytwo_server.core import blobs, clock
from daytwo_server.portal.web.common import (
    Access,
    Words,
    by_access,
    files_of,
    names_of,
    page,
    problems_of,
    seconds_to_wait,
    show,
    too_large,
)
from daytwo_server.portal.web.words import word_of
from daytwo_server.tickets import machine, services
from daytwo_server.tickets.api.customers.shown import ticket_shown
from daytwo_server.tickets.api.files import download
from daytwo_server.tickets.checks import REPLY, Invalid, Problems
from daytwo_server.tickets.models import Channel, Status
from daytwo_server.tickets.selectors.customers import conversation
from daytwo_server.tickets.services import Said

SAID = {
    "new": "Your request has arrived. We will answer as soon as we can.",
    "reply": "Your answer has arrived.",
    "rating": "Thank you for telling us.",
}


@page("GET", shared=True)
@by_access
def ticket(request: HttpRequest, access: Access) -> HttpResponse:
    """The page."""
    return ticket_page(request, access)


def ticket_page(request: HttpRequest, access: Access, more: Words | None = None, *, status: int = 200) -> HttpResponse:
    """A ticket as its customer may see it: `api.customers.shown` is the one list of what leaves."""
    found, said = access.ticket, conversation(access.ticket)
    shown = ticket_shown(found, said[0].content if said else "", said)
    assert isinstance(shown.messages, list)
    words = {
        "ticket": shown,
        "messages": [
            {
                "message": one,
                "own": one.author_type == "customer",
                "by": one.author_id if one.author_id not in (None, shown.user_id) else "You",
                "files": [(file, access.url("file", str(file.id))) for file in one.attachments],
            }
            for one in shown.messages
        ],
        "word": word_of(shown.status),
        "access": access,
        "urls": {name: access.url(name) for name in ("ticket", "reply", "rating")},
        "follows": not machine.can_be_reopened(found.status, found.resolved_at, clock.now()),
        "done": found.status in (Status.RESOLVED, Status.CLOSED),
        "merged": found.merged_into is not None,
        "merged_url": access.url_of(found.merged_into) if found.merged_into else "",
        "note": SAID.get(request.GET.get("said", ""), ""),
        "longest": REPLY[1],
        **(more or {}),
    }
    return show(request, "ticket", words, status=status)


@page("POST", shared=True)
@by_access
def reply(request: HttpRequest, access: Access) -> HttpResponse:
    """Say something. It goes where it belongs: into another request, if this one takes no more."""
    content = request.POST.get("content", "")
    kept: Words = {"content": content, "chosen": names_of(request)}
    if too_large(request):
        kept["problem"] = "The files are larger than 25 MB together. Nothing was sent."
        return ticket_page(request, access, kept, status=413)
    problems = Problems()
    said = Said(
        content=problems.text(content, "content", *REPLY), files=files_of(request, problems), channel=Channel.WEB
    )
    if problems.fields:
        return ticket_page(request, access, kept | problems_of(problems, fields=("content", "files")), status=422)
    customer = access.ticket.customer
    if wait_s := seconds_to_wait(customer.pk):
        kept["problem"] = f"You wrote a lot in a short time. Nothing was sent; try again in {wait_s} s."
        answer = ticket_page(request, access, kept, status=429)
        answer.headers["Retry-After"] = str(wait_s)
        return answer
    try:
        with transaction.atomic():
            where, _ = services.customer_reply(access.ticket, said, customer=customer)
    except Invalid as problem:
        return ticket_page(request, access, kept | {"problem": str(problem)}, status=422)
    return redirect(f"{access.url_of(where)}?said=reply")


@page("GET", shared=True)
@by_access
def file(request: HttpRequest, access: Access, uid: str) -> HttpResponseBase:
    """A file of something public, to be saved."""
    files = (file for message in conversation(access.ticket) for file in message.attachments.all())
    found = next((file for file in files if str(file.uid) == uid), None)
    try:
        if found is not None:
            return download(found)
    except blobs.BlobGone:
        pass
    raise Http404
