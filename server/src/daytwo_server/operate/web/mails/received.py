"""Mail that came in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.core import clock, ref
from daytwo_server.core.paths import AT_ONCE, numbers
from daytwo_server.core.query import BadFilter
from daytwo_server.core.ref import Ref
from daytwo_server.mail.letter import Result
from daytwo_server.mail.models import InboundMail
from daytwo_server.operate import selectors, services
from daytwo_server.operate.web.mails import common
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, refusing_bad_filters
from daytwo_server.ui.toasts import Toast

_DONE = {"replay": "will be read again in a moment", "discard": "discarded"}


def mail_list(request: HttpRequest) -> HttpResponseBase:
    """What came in; a POST does something to what is ticked and shows the list again."""
    return (_change if request.method == "POST" else _show)(request)


@require("operate.view")
@require_safe
@refusing_bad_filters(views="mail received")
def _show(request: HttpRequest) -> HttpResponse:
    """`?state=`, `?q=`, `?result=`, `?cursor=`."""
    return htmx.render(request, "operate/mail.html", "operate/_mail_received.html", _words(request))


def _listing(request: HttpRequest) -> tuple[Address, str]:
    parse = selectors.RECEIVED.parse
    listing = Address.of(reverse("operate:mail"), request.GET, filters=("result",), more=("state",), parse=parse)
    tab = listing.get("state") or "undecided"
    if tab not in selectors.RECEIVED_TABS:
        raise BadFilter("state", f"There is no state {tab}; there are {', '.join(selectors.RECEIVED_TABS)}.")
    return listing, tab


def _words(request: HttpRequest) -> dict[str, Any]:
    listing, tab = _listing(request)
    head = common.head(request, "received", tab)
    if not head["may_view"]:
        return {**head, "part": "operate/_mail_received.html"}
    cursor = request.GET.get("cursor", "")
    page = selectors.received(tab, listing.asked, cursor=cursor)
    if cursor and not page.rows:  # everything on the last page was dealt with
        page = selectors.received(tab, listing.asked)
    several = bool(page.next or page.previous)
    return {
        **head,
        "part": "operate/_mail_received.html",
        "here": listing.url(cursor=cursor),
        "rows": [_row(mail, thread) for mail, thread in zip(page.rows, threads(page.rows), strict=True)],
        "verbs": ("replay", "discard") if tab == "undecided" and head["may_manage"] else (),
        "all_results": listing.url(result=None, q=None),
        # What "all that match" means: those that had come when the list was shown.
        "every": clock.now().isoformat() if several and tab == "undecided" else "",
        "total": selectors.RECEIVED.narrow(_undecided(), listing.asked).count() if several else len(page.rows),
        **listing.bar(
            listing.choice("result", "Result", [(one.value, common.RESULTS[one.value][0]) for one in Result]),
            words={"result": ("Result", common.RESULTS.get(listing.get("result"), ("", ""))[0])},
        ),
        **listing.pager(page),
    }


def _row(mail: InboundMail, thread: Ref | None) -> dict[str, Any]:
    word, tone = common.came(mail)
    return {"mail": mail, "word": word, "tone": tone, "thread": thread}


def threads(mails: list[InboundMail]) -> list[Ref | None]:
    """Where each went, None where it went nowhere."""
    refs = [Ref(*mail.thread.split(":", 1)) if ":" in mail.thread else None for mail in mails]
    found = iter(ref.resolve_many(one for one in refs if one))
    return [next(found) if one else None for one in refs]


def _undecided() -> QuerySet[InboundMail]:
    return InboundMail.objects.filter(selectors.RECEIVED_TABS["undecided"])


@require("mail.manage")
def _change(request: HttpRequest) -> HttpResponseBase:
    verb, _, one = request.POST.get("do", "").partition(":")
    toast = _do(request, verb, one)
    return toasts.shown_again(request, toast, _show)


def _do(request: HttpRequest, verb: str, one: str) -> Toast:
    if verb not in _DONE:
        return Toast("This page does not know what to do. Reload it and try again.", "error")
    if "every" in request.POST and not one:
        try:
            until = dt.datetime.fromisoformat(request.POST["every"])
            wanted = selectors.RECEIVED.narrow(_undecided().filter(received_at__lte=until), _listing(request)[0].asked)
        except (BadFilter, ValueError, TypeError):
            return Toast("This page does not know what to do. Reload it and try again.", "error")
    else:
        ids = numbers([one] if one else request.POST.getlist("mail"))
        if not ids:
            return Toast("Nothing is selected. Tick the mails first.", "error")
        wanted = InboundMail.objects.filter(pk__in=ids)
    return change(request, verb, wanted)


def change(request: HttpRequest, verb: str, wanted: QuerySet[InboundMail]) -> Toast:
    """Do it, and what to say then."""
    count, ids = services.change_mails(verb, wanted, actor=viewer(request))
    if not count:
        return Toast("Nothing was changed: somebody was faster, or they are decided.")
    text = f"{common.mails(count)} {_DONE[verb]}"
    if not ids or count > AT_ONCE:  # more than an address holds; each can be put back from its page
        return Toast(text)
    return Toast(text, undo=f"{reverse('operate:restore-mail')}?mails={'.'.join(map(str, ids))}")


@require("mail.manage")
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Undo: the discarded mails in `?mails=` wait for a decision again."""
    count = services.restore_mails(numbers(request.GET.get("mails", "").split(".")), actor=viewer(request))
    if count:
        messages.success(request, f"{common.mails(count)} put back")
    else:
        messages.error(request, "Nothing was put back: it was not discarded, or is not kept any more.")
    return redirect(safe_url(request, request.POST.get("next", ""), reverse("operate:mail")))
