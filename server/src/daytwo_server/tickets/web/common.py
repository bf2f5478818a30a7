"""What several pages of this room need."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest

from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.selectors import tickets
from daytwo_server.ui import toasts
from daytwo_server.ui.toasts import Toast


def find(number: str) -> Ticket:
    """The ticket of an address, or 404."""
    found = tickets.ticket(number)
    if found is None:
        raise Http404
    return found


def say(request: HttpRequest, toast: Toast) -> None:
    """Show the toast on the next page."""
    if toast.undo:
        toasts.undoable(request, toast.text, toast.undo)
    elif toast.level == "error":
        messages.error(request, toast.text)
    else:
        messages.success(request, toast.text)
