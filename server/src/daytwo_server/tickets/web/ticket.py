"""The page of one ticket: what was said, where it is answered, and what stands beside it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from daytwo_server.accounts import selectors as accounts
from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core import blobs, preferences
from daytwo_server.core.ref import Ref
from daytwo_server.desk import selectors as desk
from daytwo_server.desk.services import presence_topic
from daytwo_server.errors.selectors import issues
from daytwo_server.tickets import checks, machine
from daytwo_server.tickets.api.files import download
from daytwo_server.tickets.drafts import note_key, reply_key
from daytwo_server.tickets.models import Category, Message, Priority, Status, Ticket
from daytwo_server.tickets.promises import promises
from daytwo_server.tickets.selectors import conversation, inbox
from daytwo_server.tickets.selectors.beside import RAN_INTO
from daytwo_server.tickets.services import ticket_topic
from daytwo_server.tickets.web import changes, saved_replies
from daytwo_server.tickets.web.common import find
from daytwo_server.tickets.web.listing import MENU, Inbox, refusing
from daytwo_server.tickets.web.rows import TONES
from daytwo_server.tickets.web.said import Said, fared, shown
from daytwo_server.tickets.web.sending import SEND, SENDS
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import address
from daytwo_server.ui.toasts import Toast

QUEUE = 25  # rows beside a conversation
MET = 5
Words = dict[str, Any]


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
    answer = toasts.shown_again(request, toast, lambda again: _show(again, number))
    if answer.status_code == 200 and toast.level == "error":
        answer.status_code = 422
    return answer


def messages_of(request: HttpRequest, found: Ticket) -> Words:
    """The window of the conversation that `?before=` asks for. Raises `BadCursor`."""
    listing, before = Inbox.read(request.GET, viewer(request)), request.GET.get("before", "")
    window = conversation.window(found, cursor=before)
    return {
        "ticket": found,
        "said": shown(found, window.messages),
        "may_send_again": _may_send_again(request),
        "earlier": window.earlier,
        "earlier_url": listing.ticket_url(found.pk, before=window.cursor) if window.cursor else "",
        "later_url": listing.ticket_url(found.pk) if before else "",
    }


def _mail_beside(request: HttpRequest, found: Ticket) -> Words:
    """What waits for one of us below the conversation: a thank-you, and mail; and who is let in."""
    return {
        "only_thanks": can(request.user, "tickets.manage") and conversation.reopened_by_thanks(found),
        "held": conversation.held(found),
        "let_in": conversation.let_in(found),
        "may_let_in": can(request.user, "tickets.reply"),
    }


def _may_send_again(request: HttpRequest) -> bool:
    return can(request.user, "tickets.reply") and bool(preferences.current().mail_url)


def page_words(request: HttpRequest, found: Ticket) -> Words:
    """What stands around the conversation: header, where it is answered, rail."""
    listing = Inbox.read(request.GET, viewer(request))
    here = Ref("ticket", found.pk)
    return {
        "listing": listing,
        "list_url": listing.url(cursor=request.GET.get("cursor")),
        "closed": found.status == Status.CLOSED,
        "topics": [ticket_topic(found.pk), presence_topic(here)],
        **_place(request, found, seen=conversation.last_place(found)),
        **_properties(request, found),
        **_mail_beside(request, found),
        **_composer(request, found),
        **_rail(request, found),
    }


def _properties(request: HttpRequest, found: Ticket) -> Words:
    """What the ticket is, and what may be made of it."""
    may_manage = can(request.user, "tickets.manage") and found.status != Status.CLOSED
    return {
        "ticket": found,
        "status": Status(found.status).label,
        "tone": TONES.get(Status(found.status), ""),
        "done": found.status in (Status.RESOLVED, Status.CLOSED),
        "may_manage": may_manage,
        "members": accounts.people(limit=MENU + 1) if may_manage else [],
        "menu": MENU,
        "statuses": _others("status", found.status, "Set to") if may_manage else "",
        "priorities": _others("priority", found.priority) if may_manage else "",
        "categories": _others("category", found.category) if may_manage else "",
        "promises": promises([found.pk])[found.pk],
        **todo_words(request, found),
    }


_CHOICES: dict[str, Sequence[tuple[str, str]]] = {
    "status": [(one.value, one.label) for one in (*machine.ACTIVE, Status.RESOLVED)],
    "priority": Priority.choices,
    "category": Category.choices,
}


@functools.cache
def _others(name: str, now: str, command: str = "") -> SafeString:
    """The buttons of everything that the field may be but is not: the same each time, on every page of a ticket."""
    words = {"name": name, "command": command, "choices": [one for one in _CHOICES[name] if one[0] != now]}
    return render_to_string("tickets/_others.html", words)


def todo_words(request: HttpRequest, found: Ticket) -> Words:
    """What is to be done for the ticket."""
    todos = conversation.todos(found)
    return {
        "todos": todos,
        "todos_done": sum(one.done_at is not None for one in todos),
        "may_tick": can(request.user, "tickets.reply") and found.status != Status.CLOSED,
    }


def _place(request: HttpRequest, found: Ticket, *, seen: int) -> Words:
    """The page beside its list, and where what was said after `seen` is asked for."""
    listing, cursor = Inbox.read(request.GET, viewer(request)), request.GET.get("cursor", "")
    since_url = address(reverse("tickets:since", args=[found.pk]), after=seen, **listing.params, cursor=cursor)
    return {
        "here": listing.ticket_url(found.pk, cursor=cursor),
        "queue_url": address(reverse("tickets:queue", args=[found.pk]), **listing.params, cursor=cursor),
        "seen": seen,
        "since_url": since_url,
    }


@require("tickets.view")
@require_safe
@refusing
def queue(request: HttpRequest, number: str) -> HttpResponse:
    """The list beside a conversation, which comes after it: nobody waits for it, and narrow screens have no room."""
    listing, cursor = Inbox.read(request.GET, viewer(request)), request.GET.get("cursor", "")
    page = listing.page(cursor, limit=QUEUE)
    words = {
        "here": find(number).pk,
        "rows": listing.rows(page),
        "list_url": listing.url(cursor=cursor),
        **listing.pager(page),
    }
    return render(request, "tickets/_queue.html", words)


def _composer(request: HttpRequest, found: Ticket) -> Words:
    """What is needed to answer. A note that was begun shows its own field: it must not be taken for an answer."""
    if not can(request.user, "tickets.reply"):
        return {"may_reply": False}
    keys = reply_key(found.pk), note_key(found.pk)
    drafts = desk.drafts(viewer(request), keys)
    begun = drafts.get(keys[1])
    chosen = request.session.get(SEND, Status.WAITING_CUSTOMER)
    options = sorted(SENDS.items(), key=lambda one: one[0] != chosen)
    if found.status == Status.RESOLVED:
        options = [(Status.RESOLVED, "Send, keep it resolved"), (Status.WAITING_CUSTOMER, "Send and open again")]
    return {
        "may_reply": found.status != Status.CLOSED,
        "reply_key": keys[0],
        "note_key": keys[1],
        "drafts": drafts,
        "noting": bool(begun and begun.text),
        "sends": options,
        "longest": checks.REPLY[1],
        "all_sends": SENDS,
        **saved_replies.used(request, found),
    }


def _rail(request: HttpRequest, found: Ticket) -> Words:
    belonging = conversation.belonging_to(found)
    return {
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
    "lastEventId": "Last event", "traceId": "Trace", "flags": "Flags",
}  # fmt: skip


def _metadata(found: Ticket) -> list[tuple[str, str]]:
    """Where the customer was when they asked, as their app told it."""
    return [(label, str(found.metadata[name])) for name, label in _METADATA.items() if found.metadata.get(name)]


@require("tickets.view")
@require_safe
@refusing
def since(request: HttpRequest, number: str) -> HttpResponse:
    """What was said `?after=` a message, to be put below it, and what else may have changed: mail that is held, and how
    the answers before it fared.
    """
    found, after = find(number), request.GET.get("after", "")
    if not after.isdecimal() or len(after) > 18:
        return HttpResponse(status=204)
    messages = conversation.since(found, int(after))
    words = {
        **_properties(request, found),
        "said": shown(found, messages),
        "mailed": fared(found, conversation.answers(found, until=int(after))),
        **_place(request, found, seen=max([one.pk for one in messages], default=int(after))),
        "may_send_again": _may_send_again(request),
        **_mail_beside(request, found),
    }
    answer = render(request, "tickets/_since.html", words)
    others = [one for one in messages if one.kind != Message.Kind.SYSTEM and one.author_id != request.user.pk]
    if not others:
        return answer
    last = others[-1]
    return toasts.attach(
        answer, Toast(f"{Said(last, found.pk).by} wrote {'a note' if last.is_internal else 'an answer'}")
    )


@require("tickets.view")
@require_safe
def message(request: HttpRequest, number: str, message: str) -> HttpResponse:
    """All of one message: of a mail with what it quotes."""
    found = find(number)
    one = conversation.message(found, int(message))
    if one is None:
        raise Http404
    words = {"ticket": found, "one": Said(one, found.pk), "message": one, "whole": one.body_text or one.content}
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
