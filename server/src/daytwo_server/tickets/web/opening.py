"""A ticket that an agent opens for a customer who called, or whom somebody met."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from daytwo_server.accounts.http import focus_first_error, go_to
from daytwo_server.accounts.permissions import require
from daytwo_server.core import clock
from daytwo_server.customers.identity import email
from daytwo_server.customers.models import Customer
from daytwo_server.customers.services import Sighting, see
from daytwo_server.tickets import services
from daytwo_server.tickets.checks import Problems
from daytwo_server.tickets.models import Category, Channel, Priority, Ticket
from daytwo_server.tickets.selectors import opening as selectors
from daytwo_server.tickets.selectors import tickets
from daytwo_server.ui import htmx

TEXT = (1, 5000)  # characters: on the phone a few words may be all there is
CHANNELS = (Channel.PHONE, Channel.EMAIL, Channel.WEB)


class TicketForm(forms.Form):
    customer = forms.CharField(
        max_length=254, label="Customer", help_text="E-mail address, or the id that your app gives them."
    )
    name = forms.CharField(
        max_length=200, required=False, label="Their name", help_text="Where Daytwo does not know them yet."
    )
    subject = forms.CharField(max_length=1000, label="Subject")
    content = forms.CharField(
        label="What they said", max_length=20_000, widget=forms.Textarea({"rows": 6}),
        help_text="As they would have written it: they read it too.",
    )  # fmt: skip
    channel = forms.ChoiceField(label="How they asked", choices=[(one.value, one.label) for one in CHANNELS])
    category = forms.ChoiceField(label="Category", choices=Category.choices, initial=Category.OTHER)
    priority = forms.ChoiceField(label="Priority", choices=Priority.choices, initial=Priority.MEDIUM)
    follow = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """The room's own rules, in its own words."""
        said, problems = super().clean() or {}, Problems()
        if "subject" in said:
            said["subject"] = problems.subject(said["subject"])
        if "content" in said:
            said["content"] = problems.text(said["content"], "content", *TEXT)
        for name, words in problems.fields.items():
            self.add_error(name, words)
        return said

    def clean_customer(self) -> str:
        typed = str(self.cleaned_data["customer"])
        if selectors.customer_called(typed) is None and not email(typed):
            raise forms.ValidationError("Nobody is known by this. Write an e-mail address to open it for somebody new.")
        return typed


@require("tickets.reply")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form; `?customer=` and `?follow=` fill it. Posted, it opens the ticket and leads there."""
    if request.method != "POST":
        first = {name: request.GET[name] for name in ("customer", "follow", "subject") if name in request.GET}
        return _page(request, TicketForm(initial=first), status=200)
    form = TicketForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    ticket = _open(form.cleaned_data)
    messages.success(request, f"{ticket.code} opened for {ticket.customer.title}")
    return go_to(request, reverse("tickets:ticket", args=[ticket.pk]))


def _page(request: HttpRequest, form: TicketForm, *, status: int) -> HttpResponse:
    focus_first_error(form)
    form.fields["customer"].widget.attrs |= {
        "list": "customers-suggested", "autocomplete": "off", "hx-get": f"{reverse('tickets:customers')}?of=customer",
        "hx-trigger": "focus once, input changed delay:150ms", "hx-target": "#customers-suggested",
        "hx-swap": "innerHTML",
    }  # fmt: skip
    words = {"form": form}
    return htmx.render(request, "tickets/new.html", "tickets/_new.html", words, status=status)


@transaction.atomic
def _open(said: dict[str, Any]) -> Ticket:
    new_one = services.NewTicket(
        subject=said["subject"],
        content=said["content"],
        category=Category(said["category"]),
        priority=Priority(said["priority"]),
        channel=Channel(said["channel"]),
    )
    customer = selectors.customer_called(said["customer"]) or _somebody_new(said["customer"], said["name"])
    before = tickets.ticket(said["follow"]) if said["follow"] else None
    follows = before if before and before.customer_id == customer.pk else None
    return services.open_ticket(new_one, customer=customer, follow_up_of=follows)[0]


def _somebody_new(address: str, name: str) -> Customer:
    """Known by their address, unverified: an agent wrote it down, nobody proved it."""
    key = f"email:{email(address)}"
    made = see([Sighting(key=key, project=0, at=clock.now(), email=address, name=name)])
    return Customer.objects.select_related("organization").get(pk=made[key])


@require("tickets.reply")
@require_safe
def customers(request: HttpRequest) -> HttpResponse:
    """The options of the field: customers whose name or address has what was typed. `?of=` is the field's name."""
    typed = request.GET.get(request.GET.get("of", "q"), "").replace("\x00", "").strip()
    return render(request, "tickets/_customers.html", {"customers": selectors.customers_like(typed[:200])})
