"""Pages about customers."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import can, require
from daytwo_server.customers import selectors, services
from daytwo_server.customers.models import Customer
from daytwo_server.errors.selectors import issues as errors
from daytwo_server.ui import htmx
from daytwo_server.ui.listing import Address, refusing_bad_filters


@require("customers.view")
@require_safe
@refusing_bad_filters("Customers", views="customers")
def customer_list(request: HttpRequest) -> HttpResponse:
    """Who was seen last; `?q=` searches, `?cursor=` pages."""
    listing = Address.of(reverse("customers:list"), request.GET, parse=selectors.CUSTOMERS.parse)
    found = selectors.customers(listing.asked, cursor=request.GET.get("cursor", ""))
    words = {"customers": found.rows, **listing.bar(), **listing.pager(found)}
    return htmx.render(request, "customers/list.html", "customers/_rows.html", words)


@require("customers.view")
@require_safe
@refusing_bad_filters("Customer", box="")
def customer_page(request: HttpRequest, customer: int) -> HttpResponse:
    """Who this is, and what they ran into. Other rooms' sections join by their selectors."""
    found = get_object_or_404(Customer.objects.select_related("organization"), pk=customer)
    words: dict[str, Any] = {
        "customer": found,
        "may_erase": can(request.user, "customers.erase") and found.erased_at is None,
    }
    if can(request.user, "errors.view"):
        met = errors.of_customer(found.pk, cursor=request.GET.get("cursor", ""))
        words |= {"errors": met.rows, **Address(path=request.path, params={}).pager(met)}
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


app_name = "customers"
urlpatterns = [
    path("customers/", customer_list, name="list"),
    path("customers/<id:customer>/", customer_page, name="detail"),
    path("customers/<id:customer>/erase/", erase_customer, name="erase"),
]
