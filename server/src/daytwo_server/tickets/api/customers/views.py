"""The operations. Each begins with who speaks, and reads and writes only what is theirs."""

from __future__ import annotations

import functools
import math
import urllib.parse
from collections.abc import Callable
from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daytwo_server.accounts.http import absolute
from daytwo_server.core import blobs, preferences
from daytwo_server.core.pages import BadCursor
from daytwo_server.customers.services import vouch
from daytwo_server.tickets import services
from daytwo_server.tickets.api.customers.bodies import body_of, where_from
from daytwo_server.tickets.api.customers.callers import Caller, caller_of
from daytwo_server.tickets.api.customers.refusal import Refusal
from daytwo_server.tickets.api.customers.shown import message_shown, ticket_shown
from daytwo_server.tickets.api.files import download
from daytwo_server.tickets.checks import DESCRIPTION, RATING_COMMENT, REPLY, Invalid
from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.selectors import customers as selectors
from daytwo_server.tickets.selectors.customers import Reader
from daytwo_server.tickets.services import NewTicket, Said

MAX_LIMIT = 100
WINDOW_S = 60
KEY = "Idempotency-Key"

Operation = Callable[..., HttpResponseBase]


class NotFound(Refusal):
    """There is no such thing for this caller."""

    status = 404

    def __init__(self) -> None:
        super().__init__("There is no such ticket.")


class TooMany(Refusal):
    """The customer sends more than the setting allows."""

    status = 429

    def __init__(self, after_s: int) -> None:
        super().__init__(
            f"Too many requests of this customer; try again in {after_s} s.", {"Retry-After": str(after_s)}
        )


def operation(view: Operation) -> Operation:
    """Hand over the caller, and say in the API's one form what cannot be done. No cookie opens anything here."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, caller_of(request), *args, **kwargs)
        except Invalid as problem:
            return _json({"detail": "The request is not valid.", "fields": problem.fields}, status=400)
        except Refusal as problem:
            answer = _json({"detail": str(problem), "fields": {}}, status=problem.status)
            for name, value in problem.headers.items():
                answer.headers[name] = value
            return answer

    return csrf_exempt(run)


@require_http_methods(["GET", "HEAD", "POST"])
@operation
def tickets(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    """The caller's tickets, newest first, or a new one."""
    return _open(request, caller) if request.method == "POST" else _list(request, caller)


@require_safe
@operation
def ticket(request: HttpRequest, caller: Caller, code: str) -> HttpResponseBase:
    """One ticket with what was said in it."""
    found = _own(caller.reader(request.GET), code)
    shown = ticket_shown(found, found.description, selectors.conversation(found))  # type: ignore[attr-defined]
    return _json(shown)


@require_POST
@operation
def replies(request: HttpRequest, caller: Caller, code: str) -> HttpResponseBase:
    """Say something. `ticketId` of the answer is where it went: another ticket if this one takes no more replies."""
    body, files, problems = body_of(request)
    content = problems.text(body.get("content"), "content", *REPLY)
    key = problems.key(request.headers.get(KEY, ""))
    problems.raise_any()
    writer = caller.writer(body)
    found = _own(Reader(user_id=writer.user_id), code)
    with transaction.atomic():
        customer = vouch(writer)
        _not_too_many(caller, customer.pk)
        said = Said(content=content, files=files, idempotency_key=key)
        where, message = services.customer_reply(found, said, customer=customer)
    return _json(message_shown(message, where), status=201, location=where)


@require_POST
@operation
def rating(request: HttpRequest, caller: Caller, code: str) -> HttpResponseBase:
    """Say how it went."""
    body, _, problems = body_of(request)
    given = problems.rating(body.get("rating"))
    comment = problems.text(body.get("comment"), "comment", *RATING_COMMENT)
    problems.raise_any()
    found = _own(Reader(user_id=caller.writer(body).user_id), code)
    try:
        services.rate(found, given, comment, most=None if caller.is_server else preferences.current().ticket_rate)
    except services.TooFast as problem:
        raise TooMany(problem.wait_s) from None
    return _json({"rating": given, "comment": comment}, status=201)


@require_safe
@operation
def attachment(request: HttpRequest, caller: Caller, code: str, uid: str) -> HttpResponseBase:
    """The bytes of a file."""
    found = selectors.attachment(caller.reader(request.GET), code, uid)
    if found is None:
        raise NotFound
    try:
        return download(found)
    except blobs.BlobGone:
        raise NotFound from None


def _open(request: HttpRequest, caller: Caller) -> HttpResponse:
    body, files, problems = body_of(request)
    new = NewTicket(
        subject=problems.subject(body.get("subject")),
        content=problems.text(body.get("description"), "description", *DESCRIPTION),
        category=problems.category(body.get("category")),
        priority=problems.priority(body.get("priority")),
        metadata=({} if caller.is_server else where_from(request)) | problems.metadata(body.get("metadata")),
        idempotency_key=problems.key(request.headers.get(KEY, "")),
        project=caller.project,
        files=files,
    )
    problems.raise_any()
    writer = caller.writer(body)
    with transaction.atomic():
        customer = vouch(writer)
        _not_too_many(caller, customer.pk)
        opened, message = services.open_ticket(new, customer=customer)
        opened.organization = customer.organization
    return _json(ticket_shown(opened, message.content), status=201, location=opened)


def _list(request: HttpRequest, caller: Caller) -> HttpResponse:
    reader, limit = caller.reader(request.GET), _limit(request.GET.get("limit", ""))
    try:
        page = selectors.own_tickets(reader, cursor=request.GET.get("cursor", ""), limit=limit)
    except BadCursor as problem:
        raise Invalid({"cursor": [str(problem)]}) from None
    shown = [ticket_shown(one, one.description) for one in page.rows]  # type: ignore[attr-defined]
    answer = _json(shown)
    links = [(page.next, "next"), (page.previous, "prev")]
    if link := ", ".join(f'<{_address(request, cursor)}>; rel="{rel}"' for cursor, rel in links if cursor):
        answer.headers["Link"] = link
    return answer


def _address(request: HttpRequest, cursor: str) -> str:
    query = {name: request.GET[name] for name in ("userId", "organizationId", "limit") if name in request.GET}
    return f"{absolute(reverse('support:tickets'))}?{urllib.parse.urlencode(query | {'cursor': cursor})}"


def _limit(given: str) -> int:
    if not given:
        return selectors.PAGE
    if not given.isascii() or not given.isdecimal() or len(given) > 5 or not 1 <= int(given) <= MAX_LIMIT:
        raise Invalid({"limit": [f"The limit is a number from 1 to {MAX_LIMIT}."]})
    return int(given)


def _own(reader: Reader, code: str) -> Ticket:
    found = selectors.own_ticket(reader, code)
    if found is None:
        raise NotFound
    return found


def _not_too_many(caller: Caller, customer: int) -> None:
    """Counted in the store, so that it holds for several processes together. Raises `TooMany`."""
    if caller.is_server:
        return
    wait_s = selectors.seconds_to_wait(customer, most=preferences.current().ticket_rate, window_s=WINDOW_S)
    if wait_s > 0:
        raise TooMany(math.ceil(wait_s))


def _json(shown: Any, *, status: int = 200, location: Ticket | None = None) -> HttpResponse:
    answer = HttpResponse(msgspec.json.encode(shown), status=status, content_type="application/json")
    answer.headers["Cache-Control"] = "private, no-store"
    if location is not None:
        answer.headers["Location"] = absolute(reverse("support:ticket", args=[str(location.uid)]))
    return answer
