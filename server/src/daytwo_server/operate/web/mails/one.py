"""One mail that came in."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import Message
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import can, require
from daytwo_server.core.blobs import BlobGone
from daytwo_server.mail import intake, selectors
from daytwo_server.mail.models import InboundMail
from daytwo_server.mail.reading import plain
from daytwo_server.mail.reading.charsets import decode_header_value
from daytwo_server.operate.web.mails import common, received
from daytwo_server.ui import toasts
from daytwo_server.ui.toasts import Toast

SHOWN_BYTES = 256 * 1024  # of the mail; a page shows its head, not its attachments
MAX_HEADERS, MAX_PARTS, MAX_VALUE = 60, 50, 500


def mail(request: HttpRequest, number: int) -> HttpResponseBase:
    """One mail; a POST does something to it."""
    return (_change if request.method == "POST" else _show)(request, number)


@require("mail.view")
@require_safe
def _show(request: HttpRequest, number: int) -> HttpResponse:
    found = _found(number)
    [thread] = received.threads([found])
    word, tone = common.came(found)
    decidable = selectors.awaiting_a_decision().filter(pk=number).exists() and can(request.user, "mail.manage")
    shown = {
        "mail": found, "thread": thread, "word": word, "tone": tone, "topics": common.TOPICS, "decidable": decidable,
        "restorable": found.state == InboundMail.State.DISCARDED and can(request.user, "mail.manage"),
        "restore_url": f"{reverse('operate:restore-mail')}?mails={number}",
        "recipients": found.envelope_recipients.split("\n") if found.envelope_recipients else [],
        **_anatomy(found),
    }  # fmt: skip
    return render(request, "operate/mail_received.html", shown)


@require("mail.manage")
def _change(request: HttpRequest, number: int) -> HttpResponse:
    verb = request.POST.get("do", "")
    if verb not in {"replay", "discard"}:
        toast = Toast("This page does not know what to do. Reload it and try again.", "error")
    else:
        toast = received.change(request, verb, InboundMail.objects.filter(pk=_found(number).pk))
    toasts.say(request, toast)
    return redirect("operate:mail-received", number)


@require("mail.view")
@require_safe
def raw(request: HttpRequest, number: int) -> HttpResponse:
    """The mail as it came, to be opened elsewhere: nothing of it is run or shown here."""
    try:
        data = intake.raw_of(_found(number))
    except BlobGone as gone:
        raise Http404(str(gone)) from gone
    headers = {
        "Content-Disposition": f'attachment; filename="mail-{number}.eml"',
        "Content-Security-Policy": "sandbox; frame-ancestors 'none'",
    }
    return HttpResponse(data, content_type="message/rfc822", headers=headers)


def _found(number: int) -> InboundMail:
    found = selectors.inbound(number)
    if found is None:
        raise Http404
    return found


def _anatomy(mail: InboundMail) -> dict[str, Any]:
    """Its headers and parts, as far as a page has room for them. Without trust in any of it."""
    try:
        data = intake.raw_of(mail)
    except BlobGone:
        return {"headers": "", "parts": [], "gone": True}
    try:
        message = email.message_from_bytes(data[:SHOWN_BYTES], policy=email.policy.compat32)
        headers = [f"{name[:MAX_VALUE]}: {_shown(value)}" for name, value in message.raw_items()]
        parts = list(_parts(message))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {"headers": "", "parts": [], "broken": True}
    return {
        "headers": "\n".join(headers[:MAX_HEADERS]), "more_headers": max(0, len(headers) - MAX_HEADERS),
        "parts": parts[:MAX_PARTS], "more_parts": max(0, len(parts) - MAX_PARTS), "cut": len(data) > SHOWN_BYTES,
    }  # fmt: skip


def _shown(value: Any) -> str:
    """A header on one line."""
    return plain.one_line(decode_header_value(str(value))[:MAX_VALUE])


def _parts(message: Message) -> Iterator[dict[str, Any]]:
    """What it is made of. Of a mail that is cut, the part at the cut is shown with what there is of it."""
    waiting: list[tuple[Message, int]] = [(message, 0)]
    while waiting:
        part, level = waiting.pop()
        inside = [each for each in part.get_payload() if isinstance(each, Message)] if part.is_multipart() else []
        name = decode_header_value(part.get_filename() or "")
        payload = part.get_payload()
        size = len(payload) if isinstance(payload, str) else None
        yield {"type": part.get_content_type()[:100], "name": name[:200], "level": min(level, 10), "size": size}
        waiting.extend((each, level + 1) for each in reversed(inside))
