"""Toasts with Undo, for pages that are loaded again (Django messages) and for answers to htmx (a header).

An action that can be taken back asks no question first: it happens, and the toast offers the way back.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from daytwo_server.ui import htmx

_UNDO = "undo "


@dataclass(frozen=True, slots=True)
class Toast:
    text: str
    level: str = "success"  # or "error", which stays until it is dismissed
    undo: str = ""  # path that takes the action back when something is posted to it


def undoable(request: HttpRequest, text: str, undo: str) -> None:
    """Say `text` on the next page, with a button that posts to the path `undo`."""
    messages.success(request, text, extra_tags=_UNDO + _own_path(undo))


@contextlib.contextmanager
def telling(request: HttpRequest, *problems: type[Exception]) -> Iterator[None]:
    """Say on the next page why what stands in the block could not be done; the rest of the block is passed over."""
    try:
        yield
    except problems as problem:
        messages.error(request, str(problem))


def say(request: HttpRequest, toast: Toast) -> None:
    """Show the toast on the next page."""
    if toast.undo:
        undoable(request, toast.text, toast.undo)
    else:
        messages.add_message(request, messages.ERROR if toast.level == "error" else messages.SUCCESS, toast.text)


def shown_again(
    request: HttpRequest, toast: Toast, show: Callable[[HttpRequest], HttpResponseBase]
) -> HttpResponseBase:
    """What answers a POST to a page that changed something: the page anew with the toast, by a redirect, or the part of
    it that htmx asked for, as `show` draws it.
    """
    if not htmx.wants_part(request):
        say(request, toast)
        return redirect(request.get_full_path())
    request.method = "GET"
    answer = show(request)
    assert isinstance(answer, HttpResponse)
    return attach(answer, toast)


def of_message(message: Message) -> Toast:
    tags = message.extra_tags or ""
    undo = tags.removeprefix(_UNDO) if tags.startswith(_UNDO) else ""
    return Toast(str(message), "error" if message.level >= messages.ERROR else "success", undo)


def attach(response: HttpResponse, toast: Toast) -> HttpResponse:
    """Show the toast when htmx receives this response, beside whatever it swaps in; returns the response."""
    events = _events(response.get("HX-Trigger", ""))
    detail = {"text": toast.text, "level": toast.level, "undo": _own_path(toast.undo)}
    response["HX-Trigger"] = json.dumps({**events, "ui:toast": detail})
    return response


def _events(header: str) -> dict[str, object]:
    """The events a response causes already; the header is JSON or names with commas between them."""
    if header.startswith("{"):
        return dict(json.loads(header))
    return {name.strip(): {} for name in header.split(",") if name.strip()}


def _own_path(path: str) -> str:
    # Browsers read "/\\host" like "//host": another server.
    if path and (not path.startswith("/") or path[1:2] in {"/", "\\"}):
        raise ValueError(f"Undo posts a form to {path!r}; give a path of this server, such as /things/7/undo")
    return path
