"""Mail on the page of a ticket: as it was designed, what is held of it, and what did not arrive."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.core import blobs
from daytwo_server.mail import selectors as mail
from daytwo_server.mail import services as mail_services
from daytwo_server.mail.reading import html
from daytwo_server.tickets.models import Attachment, HeldMail, Message, Ticket
from daytwo_server.tickets.selectors import conversation
from daytwo_server.tickets.services import holding, outgoing
from daytwo_server.tickets.services.holding import NotTaken
from daytwo_server.tickets.web.common import find
from daytwo_server.ui import toasts

# Pictures that came along are in the page itself: whatever it names elsewhere is neither loaded nor asked for.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
MAX_PICTURES = 8 * 1024 * 1024  # bytes of one mail that are shown in their place
_HEAD = (
    '<!doctype html><html><head><meta charset="utf-8"><title>Mail</title><base target="_blank">'
    "<style>body{margin:12px;font:14px/1.5 sans-serif;color:#1b1b1b;background:#fff;overflow-wrap:anywhere}"
    "img{max-width:100%}blockquote{margin:0 0 0 4px;padding-left:10px;border-left:2px solid #ccc}"
    "table{max-width:100%}</style></head><body>"
)


@require("tickets.view")
@require_safe
@xframe_options_sameorigin
def designed(_request: HttpRequest, number: str, message: str) -> HttpResponseBase:
    """A mail as it was designed, for a frame in which nothing runs and nothing is loaded from elsewhere."""
    one = conversation.message(find(number), int(message))
    if one is None or not one.body_html:
        raise Http404
    answer = StreamingHttpResponse(_document(one), content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _document(message: Message) -> Iterator[bytes]:
    yield _HEAD.encode()
    yield html.with_files(message.body_html, _Pictures(message)).encode()
    yield b"</body></html>"


class _Pictures:
    """Gives the picture of a number as an address that holds it; of one that is none, or too much, an empty one."""

    def __init__(self, message: Message) -> None:
        self._files: list[Attachment] = list(message.attachments.order_by("pk"))
        self._left = MAX_PICTURES

    def __call__(self, number: int) -> str:
        file = self._files[number] if number < len(self._files) else None
        if file is None or file.content_type not in _PICTURES or file.size > self._left:
            return "data:,"
        self._left -= file.size
        try:
            data = b"".join(blobs.read(file.blob_id))
        except blobs.BlobGone:
            return "data:,"
        return f"data:{file.content_type};base64,{base64.b64encode(data).decode()}"


@require("tickets.reply")
@require_POST
def held(request: HttpRequest, number: str, held: str) -> HttpResponse:
    """Decide about a mail that is held: `do` is accept, accept-sender, apart (it is a question of its own), discard
    or, to take that back, keep.
    """
    ticket, found = _held(number, held)
    do, actor = request.POST.get("do") or request.GET.get("do", ""), viewer(request)
    if do in {"accept", "accept-sender", "apart"}:
        with toasts.telling(request, NotTaken):
            outcome = holding.accept(found, actor=actor, sender_too=do == "accept-sender", apart=do == "apart")
            messages.success(request, _taken(found, ticket, do, outcome.thread))
    elif do == "discard":
        holding.discard(found, actor=actor)
        path = reverse("tickets:held", args=[ticket.pk, found.pk])
        toasts.undoable(request, f"The mail of {found.sender} is put aside", f"{path}?do=keep")
    elif do == "keep" and holding.keep(found, actor=actor):
        messages.success(request, "Undone")
    else:
        messages.error(request, "Nothing was changed. Reload the page and try again.")
    return _back(request, ticket)


def _taken(held: HeldMail, ticket: Ticket, do: str, thread: str) -> str:
    where = "" if thread in {"", f"ticket:{ticket.pk}"} else f" It is in T-{thread.partition(':')[2]}."
    if do != "accept-sender":
        return f"The mail of {held.sender} is taken.{where}"
    return f"Mail of {held.sender} is taken here from now on.{where}"


@require("tickets.reply")
@require_POST
def let_out(request: HttpRequest, number: str, participant: str) -> HttpResponse:
    """Hold again what a sender writes who was let in."""
    ticket = find(number)
    holding.let_out(ticket, int(participant), actor=viewer(request))
    messages.success(request, "What they write is held from now on")
    return _back(request, ticket)


@require("tickets.reply")
@require_POST
def send_again(request: HttpRequest, number: str, delivery: str) -> HttpResponse:
    """Send a mail again that failed or came back."""
    ticket, sent = find(number), mail.delivery(int(delivery))
    kind, _, message = sent.about.partition(":") if sent else ("", "", "")
    if sent is None or kind != outgoing.ABOUT or conversation.message(ticket, int(message)) is None:
        raise Http404
    if mail_services.resend(sent):
        messages.success(request, f"The mail to {sent.to} is sent again")
    else:
        messages.error(request, f"The mail to {sent.to} is on its way already, or has arrived.")
    return _back(request, ticket)


def _held(number: str, held: str) -> tuple[Ticket, HeldMail]:
    ticket = find(number)
    found = HeldMail.objects.select_related("mail", "ticket__customer").filter(ticket=ticket, pk=held).first()
    if found is None:
        raise Http404
    return ticket, found


def _back(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("tickets:ticket", args=[ticket.pk])))
