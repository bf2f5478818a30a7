"""The page of one ticket: what was said, where it is answered, and what stands beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from daytwo_server.accounts import selectors as accounts
from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core import blobs
from daytwo_server.core.ref import Ref
from daytwo_server.desk import selectors as desk
from daytwo_server.desk.services import presence_topic
from daytwo_server.errors.selectors import issues
from daytwo_server.mail.models import Delivery
from daytwo_server.mail.selectors import deliveries_about
from daytwo_server.tickets import checks, machine
from daytwo_server.tickets.api.files import download
from daytwo_server.tickets.models import Category, Message, Priority, Status, Ticket
from daytwo_server.tickets.selectors import conversation, inbox
from daytwo_server.tickets.services import ticket_topic
from daytwo_server.tickets.web import changes
from daytwo_server.tickets.web.common import find, say
from daytwo_server.tickets.web.listing import MENU, TONES, Inbox, refusing
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.toasts import Toast

QUEUE = 25  # rows beside a conversation
SHOWN = 2000  # characters of a message; the rest comes when it is asked for
RAN_INTO = dt.timedelta(hours=24)
MET = 5
SEND = "tickets.send"  # in the session: what somebody last had happen to a ticket with their answer
SENDS = {
    Status.WAITING_CUSTOMER: "Send, wait for customer",
    Status.IN_PROGRESS: "Send, keep working on it",
    Status.RESOLVED: "Send and resolve",
}
Words = dict[str, Any]


@dataclass
class Said:
    """A message as the page shows it. `after` is the status that came with it, `deliveries` the mails that carry it."""

    message: Message
    first_reply: dt.timedelta | None = None
    after: str = ""
    deliveries: Sequence[Delivery] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.message.content[:SHOWN]

    @property
    def more(self) -> str:
        """Why there is more of it than stands here; empty when there is not."""
        if len(self.message.content) > SHOWN:
            return "Show all of it"
        whole = self.message.body_text
        return "Show the whole mail" if whole and whole.strip() != self.message.content.strip() else ""

    @property
    def by(self) -> object:
        return self.message.customer.title if self.message.customer else self.message.author or "Daytwo"

    @property
    def colour(self) -> str:
        """By which a person has the same colour on every page."""
        who = self.message
        return who.customer.key if who.customer else who.author.email if who.author else "Daytwo"


def ticket(request: HttpRequest, number: str) -> HttpResponseBase:
    """The page; a POST changes the ticket and shows it again."""
    return (_change if request.method == "POST" else _show)(request, number)


@require("tickets.view")
@require_safe
@refusing
def _show(request: HttpRequest, number: str) -> HttpResponse:
    found = find(number)
    if "before" in request.GET and htmx.wants_part(request):
        return render(request, "tickets/_messages.html", messages_of(request, found))
    words = page_words(request, found) | messages_of(request, found)
    return htmx.render(request, "tickets/ticket.html", "tickets/_ticket.html", words)


@require("tickets.manage")
@refusing
def _change(request: HttpRequest, number: str) -> HttpResponseBase:
    toast = changes.apply(request, request.POST.get("do", ""), [find(number).pk])
    if not htmx.wants_part(request):
        say(request, toast)
        return redirect(request.get_full_path())
    request.method = "GET"
    answer = _show(request, number)
    assert isinstance(answer, HttpResponse)
    answer.status_code = 422 if toast.level == "error" else 200
    return toasts.attach(answer, toast)


def messages_of(request: HttpRequest, found: Ticket) -> Words:
    """The window of the conversation that `?before=` asks for. Raises `BadCursor`."""
    listing, before = Inbox.read(request.GET, viewer(request)), request.GET.get("before", "")
    window = conversation.window(found, cursor=before)
    return {
        "ticket": found,
        "said": shown(found, window.messages),
        "earlier": window.earlier,
        "earlier_url": listing.ticket_url(found.pk, before=window.cursor) if window.cursor else "",
        "later_url": listing.ticket_url(found.pk) if before else "",
    }


def shown(found: Ticket, messages: Iterable[Message]) -> list[Said]:
    """What was said, with what became of it. A change of status that came with an answer stands beside that answer.
    One query.
    """
    rows: list[Said] = []
    for message in messages:
        last = rows[-1] if rows else None
        if last and message.after and _together(last.message, message):
            last.after = Status(message.after).label
            continue
        rows.append(Said(message))
    sent = [row for row in rows if row.message.kind == Message.Kind.PUBLIC and row.message.author_type == "agent"]
    mails = deliveries_about(f"ticket_message:{row.message.pk}" for row in sent)
    for row in sent:
        row.deliveries = mails[f"ticket_message:{row.message.pk}"]
        if row.message.created_at == found.first_response_at:
            row.first_reply = found.first_response_at - found.created_at
    return rows


def _together(said: Message, status: Message) -> bool:
    at_once = said.created_at == status.created_at and said.ticket_id == status.ticket_id
    return at_once and not said.after and said.kind != Message.Kind.NOTE


def page_words(request: HttpRequest, found: Ticket) -> Words:
    """What stands around the conversation: queue, header, where it is answered, rail."""
    listing = Inbox.read(request.GET, viewer(request))
    here = Ref("ticket", found.pk)
    may_manage = can(request.user, "tickets.manage") and found.status != Status.CLOSED
    words = {
        "ticket": found,
        "listing": listing,
        "here": listing.ticket_url(found.pk, cursor=request.GET.get("cursor", "")),
        "list_url": listing.url(cursor=request.GET.get("cursor")),
        "status": Status(found.status).label,
        "tone": TONES.get(Status(found.status), ""),
        "closed": found.status == Status.CLOSED,
        "done": found.status in (Status.RESOLVED, Status.CLOSED),
        "may_manage": may_manage,
        "members": accounts.people(limit=MENU + 1) if may_manage else [],
        "menu": MENU,
        "statuses": [one for one in (*machine.ACTIVE, Status.RESOLVED) if one != found.status],
        "priorities": Priority,
        "categories": Category,
        "topics": [ticket_topic(found.pk), presence_topic(here)],
        "seen": conversation.last_place(found),
        **_composer(request, found),
        **_rail(request, found),
    }
    if not htmx.wants_part(request):
        page = listing.page(request.GET.get("cursor", ""), limit=QUEUE)
        words |= {"rows": [listing.row(one) for one in page.rows], **listing.pager(page)}
    return words


def _composer(request: HttpRequest, found: Ticket) -> Words:
    """What is needed to answer. A note that was begun shows its own field: it must not be taken for an answer."""
    if not can(request.user, "tickets.reply"):
        return {"may_reply": False}
    key = note_key(found.pk)
    begun = desk.draft(viewer(request), key)
    chosen = request.session.get(SEND, Status.WAITING_CUSTOMER)
    options = sorted(SENDS.items(), key=lambda one: one[0] != chosen)
    if found.status == Status.RESOLVED:
        options = [(Status.RESOLVED, "Send, keep it resolved"), (Status.WAITING_CUSTOMER, "Send and open again")]
    return {
        "may_reply": found.status != Status.CLOSED,
        "reply_key": reply_key(found.pk),
        "note_key": key,
        "noting": bool(begun and begun.text),
        "sends": options,
        "longest": checks.REPLY[1],
    }


def reply_key(number: int) -> str:
    """Under which the draft of an answer is kept."""
    return f"ticket.{number}.reply"


def note_key(number: int) -> str:
    return f"ticket.{number}.note"


def _rail(request: HttpRequest, found: Ticket) -> Words:
    belonging = conversation.belonging_to(found)
    return {
        "due_at": inbox.due_at(found),
        "channel": found.get_channel_display(),
        "counts": inbox.how_many(found.customer_id),
        "others": conversation.earlier_of(found),
        "merged": [one for one in belonging if one.merged_into_id == found.pk],
        "follow_ups": [one for one in belonging if one.follow_up_of_id == found.pk],
        "met": _met(found) if can(request.user, "errors.view") else [],
        "metadata": _metadata(found),
    }


def _met(found: Ticket) -> Sequence[Any]:
    """What this customer ran into in the day before they asked, and since."""
    latest = issues.of_customer(found.customer_id, limit=MET).rows
    return [one for one in latest if one.last_seen >= found.created_at - RAN_INTO]


_METADATA = {
    "url": "Page", "release": "Release", "environment": "Environment", "userAgent": "Browser", "replayId": "Replay",
    "lastEventId": "Last event", "traceId": "Trace",
}  # fmt: skip


def _metadata(found: Ticket) -> list[tuple[str, str]]:
    """Where the customer was when they asked, as their app told it."""
    return [(label, str(found.metadata[name])) for name, label in _METADATA.items() if found.metadata.get(name)]


@require("tickets.view")
@require_safe
def since(request: HttpRequest, number: str) -> HttpResponse:
    """What was said `?after=` a message, to be put below it; nothing (204) while that is nothing."""
    found, after = find(number), request.GET.get("after", "")
    messages = conversation.since(found, int(after)) if after.isdecimal() and len(after) <= 18 else []
    if not messages:
        return HttpResponse(status=204)
    words = {"ticket": found, "said": shown(found, messages), "seen": max(one.pk for one in messages)}
    answer = render(request, "tickets/_since.html", words)
    others = [one for one in messages if one.kind != Message.Kind.SYSTEM and one.author_id != request.user.pk]
    if not others:
        return answer
    last = others[-1]
    return toasts.attach(answer, Toast(f"{Said(last).by} wrote {'a note' if last.is_internal else 'an answer'}"))


@require("tickets.view")
@require_safe
def message(request: HttpRequest, number: str, message: str) -> HttpResponse:
    """All of one message: of a mail with what it quotes."""
    found = find(number)
    one = conversation.message(found, int(message))
    if one is None:
        raise Http404
    words = {"ticket": found, "one": Said(one), "whole": one.body_text or one.content}
    return htmx.render(request, "tickets/message.html", "tickets/_whole.html", words)


@require("tickets.view")
@require_safe
def file(request: HttpRequest, number: str, uid: str) -> HttpResponseBase:
    """A file, to be saved."""
    attachment = conversation.attachment(find(number), uid)
    try:
        if attachment is not None:
            return download(attachment)
    except blobs.BlobGone:
        pass
    raise Http404
