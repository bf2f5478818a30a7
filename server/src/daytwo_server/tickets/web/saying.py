"""Answering a customer, writing an internal note, and merging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from daytwo_server.accounts.http import go_to, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.desk import selectors as desk
from daytwo_server.desk.services import MAX_DRAFT, clear_draft, keep_draft
from daytwo_server.tickets import services
from daytwo_server.tickets.drafts import note_key, reply_key
from daytwo_server.tickets.files import MAX_FILES, File
from daytwo_server.tickets.models import Status, Ticket
from daytwo_server.tickets.selectors import tickets
from daytwo_server.tickets.services import Impossible, Invalid
from daytwo_server.tickets.web.common import find
from daytwo_server.tickets.web.listing import Inbox, refusing
from daytwo_server.tickets.web.saved_replies import sent_with
from daytwo_server.tickets.web.sending import SEND, SENDS
from daytwo_server.tickets.web.ticket import messages_of, page_words
from daytwo_server.ui import htmx

MAX_BYTES = 25 * 1024 * 1024
Writes = Callable[[Ticket, str, Sequence[File]], object]


@require("tickets.reply")
@require_POST
@refusing
def reply(request: HttpRequest, number: str) -> HttpResponse:
    """Send an answer, and the ticket to `status`. It is stopped when somebody said something after `seen`, the last
    message that the page showed: then the text stays where it was written, and what was said stands above it.
    """
    found, wish = find(number), request.POST.get("status", "")
    status = Status(wish) if wish in SENDS else None
    seen = request.POST.get("seen", "")

    def write(ticket: Ticket, text: str, files: Sequence[File]) -> None:
        place = int(seen) if seen.isdecimal() and len(seen) <= 18 else 0
        services.reply(ticket, text, actor=viewer(request), status=status, files=files, seen=place)
        sent_with(request, ticket)

    answer = _write(request, found, "reply", write)
    if status and found.status != Status.RESOLVED and answer.status_code < 400:
        request.session[SEND] = status.value
    return answer


@require("tickets.reply")
@require_POST
@refusing
def note(request: HttpRequest, number: str) -> HttpResponse:
    """Write something that never leaves the workspace."""

    def write(ticket: Ticket, text: str, files: Sequence[File]) -> None:
        services.note(ticket, text, actor=viewer(request), files=files)

    return _write(request, find(number), "note", write)


def _write(request: HttpRequest, found: Ticket, kind: str, write: Writes) -> HttpResponse:
    """Write what stands in the field `kind`; what is refused stays there."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        return HttpResponse(
            "The files are larger than 25 MB together. Nothing was sent.", status=413, content_type="text/plain"
        )
    key = reply_key(found.pk) if kind == "reply" else note_key(found.pk)
    text = request.POST.get(kind, "")
    try:
        files = _files(request)
        with transaction.atomic():
            write(found, text, files)
            clear_draft(viewer(request), key)
    except Invalid as problem:
        return _refused(request, found, key, kind=kind, text=text, problem=_words(problem), status=422)
    except Impossible as problem:
        return _refused(request, found, key, kind=kind, text=text, problem=str(problem), status=409)
    messages.success(request, f"Sent to {found.customer.title}" if kind == "reply" else "Note added")
    return go_to(request, Inbox.read(request.GET, viewer(request)).ticket_url(found.pk))


def _files(request: HttpRequest) -> list[File]:
    sent = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]
    if len(sent) > MAX_FILES:
        raise Invalid({"files": [f"At most {MAX_FILES} files at once."]})
    return [File(file.name or "", file.content_type or "", file.chunks()) for file in sent]


def _words(problem: Invalid) -> str:
    return " ".join(word for words in problem.fields.values() for word in words)


def _refused(
    request: HttpRequest, found: Ticket, key: str, *, kind: str, text: str, problem: str, status: int
) -> HttpResponse:
    """The problem beside the text, which is kept as a draft and as it was typed. htmx takes the words alone."""
    keep_draft(viewer(request), key, text[:MAX_DRAFT])
    words: dict[str, Any] = {"refused": kind, "problem": problem, "stale": status == 409}
    if htmx.wants_part(request):
        draft = desk.draft(viewer(request), key)
        words |= {"version": draft.version if draft else 0}
        return render(request, "tickets/_refused.html", words, status=status)
    words |= page_words(request, found) | messages_of(request, found)
    words["noting"] = kind == "note"
    return render(request, "tickets/ticket.html", words, status=status)


@require("tickets.manage")
@require_POST
@refusing
def merge(request: HttpRequest, number: str) -> HttpResponse:
    """Close this ticket and go on in the one that `into` names."""
    found, listing = find(number), Inbox.read(request.GET, viewer(request))
    into = tickets.ticket(request.POST.get("into", "").strip())
    if into is None:
        messages.error(request, "There is no such ticket. Write its number, like T-12.")
        return go_to(request, listing.ticket_url(found.pk))
    try:
        services.merge(found, into, actor=viewer(request))
    except Impossible as problem:
        messages.error(request, str(problem))
        return go_to(request, listing.ticket_url(found.pk))
    messages.success(request, f"{found.code} was merged into this ticket")
    return go_to(request, listing.ticket_url(into.pk))
