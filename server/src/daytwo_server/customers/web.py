"""Pages about customers."""

import urllib.parse
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.core.pages import BadCursor
from daytwo_server.core.query import BadFilter
from daytwo_server.customers import selectors, services
from daytwo_server.customers.models import Customer
from daytwo_server.errors.selectors import issues as errors
from daytwo_server.ui import htmx


@require("customers.view")
@require_safe
def customer_list(request: HttpRequest) -> HttpResponse:
    """Who was seen last; `?q=` searches, `?cursor=` pages."""
    asked = request.GET.get("q", "").strip()
    words: dict[str, Any] = {"search": asked}
    try:
        found = selectors.customers(asked=asked, cursor=request.GET.get("cursor", ""))
    except BadCursor as problem:
        return HttpResponseBadRequest(str(problem), content_type="text/plain")
    except BadFilter as problem:
        words |= {"problem": str(problem)}
        return htmx.render(request, "customers/list.html", "customers/_rows.html", words, status=400)
    words |= {
        "customers": found.rows,
        "older": _page_url(asked, found.next),
        "newer": _page_url(asked, found.previous),
    }
    return htmx.render(request, "customers/list.html", "customers/_rows.html", words)


@require("customers.view")
@require_safe
def customer_page(request: HttpRequest, customer: int) -> HttpResponse:
    """Who this is, and what they ran into. Other rooms' sections join by their selectors."""
    found = get_object_or_404(Customer.objects.select_related("organization"), pk=customer)
    words: dict[str, Any] = {
        "customer": found,
        "may_erase": can(request.user, "customers.erase") and found.erased_at is None,
    }
    if can(request.user, "errors.view"):
        try:
            met = errors.of_customer(found.pk, cursor=request.GET.get("cursor", ""))
        except BadCursor as problem:
            return HttpResponseBadRequest(str(problem), content_type="text/plain")
        words |= {
            "errors": met.rows,
            "newer": f"{request.path}?cursor={met.previous}" if met.previous else "",
            "older": f"{request.path}?cursor={met.next}" if met.next else "",
        }
    return render(request, "customers/customer.html", words)


@require("customers.erase")
@require_http_methods(["GET", "HEAD", "POST"])
def erase_customer(request: HttpRequest, customer: int) -> HttpResponse:
    """Asks first, as there is no way back."""
    found = get_object_or_404(Customer, pk=customer, erased_at=None)
    if request.method != "POST":
        return render(request, "customers/erase.html", {"customer": found})
    services.erase(found, actor=viewer(request))
    messages.success(request, "The customer was erased")
    return redirect("customers:list")


def _page_url(search: str, cursor: str | None) -> str:
    if cursor is None:
        return ""
    query = {name: value for name, value in (("q", search), ("cursor", cursor)) if value}
    return f"{reverse('customers:list')}?{urllib.parse.urlencode(query)}"


app_name = "customers"
urlpatterns = [
    path("customers/", customer_list, name="list"),
    path("customers/<id:customer>/", customer_page, name="detail"),
    path("customers/<id:customer>/erase/", erase_customer, name="erase"),
]
