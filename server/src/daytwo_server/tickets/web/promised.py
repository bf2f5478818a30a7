"""What is promised about a ticket and how it went, asked anew whenever that may have changed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require
from daytwo_server.tickets.promises import promises
from daytwo_server.tickets.web.common import find


@require("tickets.view")
@require_safe
def show(request: HttpRequest, number: str) -> HttpResponse:
    """The clocks and the rating, as they stand in the rail."""
    found = find(number)
    return render(request, "tickets/_promises.html", {"ticket": found, "promises": promises([found.pk])[found.pk]})
