"""`/api/v1/tickets`: for those who answer, and their programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog.api.common import checked_limit, invalid
from daytwo_server.core import blobs
from daytwo_server.core.pages import BadCursor
from daytwo_server.core.query import BadFilter, Query, Term
from daytwo_server.mail.selectors import deliveries_about
from daytwo_server.tickets import services
from daytwo_server.tickets.api.files import download
from daytwo_server.tickets.api.said import Said, files_of
from daytwo_server.tickets.api.told import message_told, ticket_told_in_full, tickets_told, todo_told
from daytwo_server.tickets.models import Attachment, Category, Priority, Ticket
from daytwo_server.tickets.models import Status as TicketStatus
from daytwo_server.tickets.schemas import (
    BulkIn,
    BulkOut,
    MergeIn,
    MessageOut,
    NoteIn,
    RefusedOut,
    ReplyIn,
    TicketChangeIn,
    TicketDetailOut,
    TicketsOut,
    TodoChangeIn,
    TodoOut,
    TodosIn,
)
from daytwo_server.tickets.selectors import conversation
from daytwo_server.tickets.selectors import tickets as selectors
from daytwo_server.tickets.selectors.inbox import in_order
from daytwo_server.tickets.selectors.matching import TICKETS
from daytwo_server.tickets.services import Change, Impossible, Invalid, TicketGone, TodoGone
from daytwo_server.tickets.services.outgoing import about

router = Router(tags=["Tickets"])
_VIEW, _REPLY, _MANAGE = BearerToken("tickets.view"), BearerToken("tickets.reply"), BearerToken("tickets.manage")
_NO_SUCH = "There is no such ticket."


@router.get("/tickets", response=TicketsOut, auth=_VIEW, by_alias=True)
def list_tickets(
    request: HttpRequest,
    query: str = "",
    status: str = "",
    assignee: str = "",
    sort: str = "created",
    cursor: str = "",
    limit: int = selectors.PAGE,
) -> TicketsOut:
    """Tickets, newest first, or with `sort` what changed last (`updated`) or what is due next (`due`). `query` is what
    the search box takes; `assignee` an address, `me` or `none`.
    """
    checked_limit(limit)
    given = (Term("status", status), Term("assignee", assignee))
    viewer = request.auth.created_by  # type: ignore[attr-defined]
    try:
        asked = TICKETS.parse(query)
        wanted = Query((*(term for term in given if term.value), *asked.terms), asked.text)
        found = TICKETS.narrow(Ticket.objects.all(), wanted, me=viewer.email if viewer else "")
        page = in_order(selectors.with_all(found), sort=sort, cursor=cursor, limit=limit)
    except BadFilter as problem:
        named = problem.field in {"sort", *(term.key for term in given if term.value)}
        raise invalid({problem.field if named else "query": [str(problem)]}) from None
    except BadCursor as problem:
        raise invalid({"cursor": [str(problem)]}) from None
    return TicketsOut(results=tickets_told(page.rows), next=page.next)


@router.post("/tickets/bulk", response=BulkOut, auth=_MANAGE, by_alias=True)
def change_tickets(request: HttpRequest, change: BulkIn) -> BulkOut:
    """Change up to 200 tickets, each by itself: what is impossible for one does not stop the others."""
    codes = [str(one) for one in change.ids]
    with _refusals():
        _checked_count(codes)
        numbers = selectors.numbers(codes)
        wanted = _wanted(change, add_tags=change.add_tags, remove_tags=change.remove_tags)
        done = services.change_many(list(numbers.values()), wanted, actor=request.auth)  # type: ignore[attr-defined]
    refused = {code: done.refused.get(number) for code, number in numbers.items()}
    refused |= {code: _NO_SUCH for code in codes if code not in numbers}
    return BulkOut(
        changed=[code for code in codes if refused[code] is None],
        refused=[RefusedOut(id=code, detail=why) for code, why in refused.items() if why],
    )


@router.get("/tickets/{code}", response=TicketDetailOut, auth=_VIEW, by_alias=True)
def get_ticket(request: HttpRequest, code: str) -> TicketDetailOut:
    """One ticket with all that was said, by its id, its number, or as `T-1042`."""
    return ticket_told_in_full(_find(code))


@router.patch("/tickets/{code}", response=TicketDetailOut, auth=_MANAGE, by_alias=True)
def change_ticket(request: HttpRequest, code: str, change: TicketChangeIn) -> TicketDetailOut:
    """Change what is named, all of it or nothing; 409 says what the state of the ticket forbids."""
    ticket = _find(code)
    with _refusals():
        services.change(ticket, _wanted(change), actor=request.auth)  # type: ignore[attr-defined]
    return ticket_told_in_full(_find(code))


@router.post("/tickets/{code}/reply", response={201: MessageOut}, auth=_REPLY, by_alias=True)
def reply_to_ticket(request: HttpRequest, code: str, answer: Annotated[ReplyIn, Said(...)]) -> Status[MessageOut]:
    """Answer the customer. Files come as `attachments`, or as `files` of a form."""
    ticket = _find(code)
    with _refusals():
        message = services.reply(
            ticket,
            answer.content,
            actor=request.auth,  # type: ignore[attr-defined]
            status=TicketStatus(answer.status) if answer.status else None,
            files=files_of(request),
            seen=selectors.place_of(ticket, answer.last_message_id) if answer.last_message_id else None,
        )
    deliveries = deliveries_about([about(message.pk)])
    return Status(201, message_told(message, ticket, deliveries[about(message.pk)]))


@router.post("/tickets/{code}/notes", response={201: MessageOut}, auth=_REPLY, by_alias=True)
def note_on_ticket(request: HttpRequest, code: str, words: Annotated[NoteIn, Said(...)]) -> Status[MessageOut]:
    """Write an internal note. Files come as `attachments`, or as `files` of a form."""
    ticket, files = _find(code), files_of(request)
    with _refusals():
        message = services.note(ticket, words.content, actor=request.auth, files=files)  # type: ignore[attr-defined]
    return Status(201, message_told(message, ticket))


@router.post("/tickets/{code}/merge", response=TicketDetailOut, auth=_MANAGE, by_alias=True)
def merge_ticket(request: HttpRequest, code: str, merging: MergeIn) -> TicketDetailOut:
    """Close this ticket and go on in another one of the same customer, which is the answer."""
    ticket, into = _find(code), selectors.ticket(str(merging.into))
    if into is None:
        raise invalid({"into": [_NO_SUCH]})
    with _refusals():
        services.merge(ticket, into, actor=request.auth)  # type: ignore[attr-defined]
    return ticket_told_in_full(_find(str(into.pk)))


@router.post("/tickets/{code}/checklist", response={201: list[TodoOut]}, auth=_REPLY, by_alias=True)
def add_to_checklist(request: HttpRequest, code: str, todos: TodosIn) -> Status[list[TodoOut]]:
    """Put these on the list of what is to be done for the ticket; the answer is the whole list."""
    ticket = _find(code)
    with _refusals():
        services.add_todos(ticket, todos.items, actor=request.auth)  # type: ignore[attr-defined]
    return Status(201, [todo_told(one) for one in conversation.todos(ticket)])


@router.patch("/tickets/{code}/checklist/{int:todo}", response=TodoOut, auth=_REPLY, by_alias=True)
def tick_on_checklist(request: HttpRequest, code: str, todo: int, change: TodoChangeIn) -> TodoOut:
    """Say that something is done, or is not."""
    ticket = _find(code)
    with _refusals():
        return todo_told(services.tick(ticket, todo, done=change.done, actor=request.auth))  # type: ignore[attr-defined]


@router.delete("/tickets/{code}/checklist/{int:todo}", response={204: None}, auth=_REPLY)
def take_off_checklist(request: HttpRequest, code: str, todo: int) -> Status[None]:
    """Take it off the list."""
    ticket = _find(code)
    with _refusals():
        services.remove_todo(ticket, todo, actor=request.auth)  # type: ignore[attr-defined]
    return Status(204, None)


@router.get("/tickets/{code}/attachments/{uid}", auth=_VIEW)
def get_ticket_attachment(request: HttpRequest, code: str, uid: str) -> StreamingHttpResponse:
    """The bytes of a file, to be saved."""
    ticket = _find(code)
    files: Iterator[Attachment] = (
        file for message in selectors.conversation(ticket) for file in message.attachments.all()
    )
    found = next((file for file in files if str(file.uid) == uid), None)
    try:
        if found is not None:
            return download(found)
    except blobs.BlobGone:
        pass
    raise HttpError(404, "There is no such file.")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Invalid as problem:
        raise invalid(problem.fields) from None
    except Impossible as problem:
        raise HttpError(409, str(problem)) from None
    except TodoGone as problem:
        raise HttpError(404, str(problem)) from None
    except TicketGone:
        raise HttpError(404, _NO_SUCH) from None


def _find(code: str) -> Ticket:
    found = selectors.ticket(code)
    if found is None:
        raise HttpError(404, _NO_SUCH)
    return found


def _checked_count(codes: list[str]) -> None:
    if len(codes) > services.MAX_BULK:
        raise Invalid({"ids": [f"At most {services.MAX_BULK} tickets at once."]})


def _wanted(change: TicketChangeIn, **tags: Any) -> Change:
    assignee = (change.assigned_to or "") if "assigned_to" in change.model_fields_set else None
    return Change(
        status=TicketStatus(change.status) if change.status else None,
        priority=Priority(change.priority) if change.priority else None,
        category=Category(change.category) if change.category else None,
        team=change.team,
        assignee=assignee,
        tags=change.tags,
        **tags,
    )
