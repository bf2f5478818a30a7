"""Mail that goes out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.core import ref
from daytwo_server.core.paths import numbers
from daytwo_server.core.query import BadFilter
from daytwo_server.core.ref import Ref
from daytwo_server.mail.models import Delivery
from daytwo_server.operate import selectors, services
from daytwo_server.operate.web.mails import common
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.listing import Address, refusing_bad_filters
from daytwo_server.ui.toasts import Toast


def mail_list(request: HttpRequest) -> HttpResponseBase:
    """What goes out; a POST sends what is ticked again and shows the list again."""
    return (_change if request.method == "POST" else _show)(request)


@require("operate.view")
@require_safe
@refusing_bad_filters(views="mail sent")
def _show(request: HttpRequest) -> HttpResponse:
    """`?state=`, `?q=`, `?cursor=`."""
    return htmx.render(request, "operate/mail.html", "operate/_mail_sent.html", _words(request))


def _words(request: HttpRequest) -> dict[str, Any]:
    parse = selectors.SENT.parse
    listing = Address.of(reverse("operate:mail-sent"), request.GET, more=("state",), parse=parse)
    tab = listing.get("state") or "waiting"
    if tab not in selectors.SENT_TABS:
        raise BadFilter("state", f"There is no state {tab}; there are {', '.join(selectors.SENT_TABS)}.")
    head = common.head(request, "sent", tab)
    if not head["may_view"]:
        return {**head, "part": "operate/_mail_sent.html"}
    cursor = request.GET.get("cursor", "")
    page = selectors.sent(tab, listing.asked, cursor=cursor)
    if cursor and not page.rows:
        page = selectors.sent(tab, listing.asked)
    return {
        **head,
        "part": "operate/_mail_sent.html",
        "here": listing.url(cursor=cursor),
        "rows": _rows(page.rows),
        "verbs": ("resend",) if tab == "problems" and head["may_manage"] else (),
        "all_results": listing.url(q=None),
        **listing.bar(),
        **listing.pager(page),
    }


def _rows(deliveries: list[Delivery]) -> list[dict[str, Any]]:
    about = ref.resolve_many(Ref(*one.about.split(":", 1)) for one in deliveries if ":" in one.about)
    titles = iter(about)
    rows = []
    for one in deliveries:
        word, tone = common.went(one)
        about_one = next(titles) if ":" in one.about else None
        rows.append({"mail": one, "word": word, "tone": tone, "about": about_one})
    return rows


@require("mail.manage")
def _change(request: HttpRequest) -> HttpResponseBase:
    verb, _, one = request.POST.get("do", "").partition(":")
    ids = numbers([one] if one else request.POST.getlist("mail"))
    toast = _resend(request, ids) if verb == "resend" else None
    toast = toast or Toast("This page does not know what to do. Reload it and try again.", "error")
    return toasts.shown_again(request, toast, _show)


def _resend(request: HttpRequest, ids: list[int]) -> Toast:
    if not ids:
        return Toast("Nothing is selected. Tick the mails first.", "error")
    found = Delivery.objects.filter(pk__in=ids).defer("text", "html").order_by("pk")
    count = services.send_again(found, actor=viewer(request))
    return Toast(
        f"{common.mails(count)} will be sent again" if count else "Nothing was sent again: it waits, or arrived."
    )
