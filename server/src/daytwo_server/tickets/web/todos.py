"""What is to be done for a ticket: put on its list, ticked, taken off."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from daytwo_server.accounts.http import safe_url, viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.tickets import services
from daytwo_server.tickets.models import Ticket
from daytwo_server.tickets.services import Impossible, Invalid, TodoGone
from daytwo_server.tickets.web.common import find
from daytwo_server.tickets.web.ticket import todo_words
from daytwo_server.ui import htmx, toasts
from daytwo_server.ui.toasts import Toast


@require("tickets.reply")
@require_POST
def todos(request: HttpRequest, number: str) -> HttpResponse:
    """`do` is add (what stands in `text`), or done, open, remove or restore with the number behind a "="."""
    found = find(number)
    do, _, todo = (request.POST.get("do") or request.GET.get("do") or "add").partition("=")
    try:
        toast = _done(request, found, do, int(todo) if todo.isdecimal() and len(todo) <= 18 else 0)
    except (Impossible, TodoGone) as problem:
        toast = Toast(str(problem), "error")
    except Invalid as problem:
        toast = Toast(" ".join(problem.fields["text"]), "error")
    if not htmx.wants_part(request):
        toasts.say(request, toast)
        back = request.POST.get("next") or request.GET.get("next", "")
        return redirect(safe_url(request, back, reverse("tickets:ticket", args=[found.pk])))
    words = {"ticket": found, "here": "", "todo_added": do == "add", **todo_words(request, found)}
    answer = render(request, "tickets/_todos.html", words)
    return answer if do == "add" and toast.level == "success" else toasts.attach(answer, toast)


def _done(request: HttpRequest, found: Ticket, do: str, todo: int) -> Toast:
    actor, path = viewer(request), reverse("tickets:todos", args=[found.pk])
    match do:
        case "add":
            [added] = services.add_todos(found, [request.POST.get("text", "")], actor=actor)
            return Toast("It is on the list", undo=f"{path}?do=remove={added.pk}")
        case "done":
            services.tick(found, todo, done=True, actor=actor)
            return Toast("Done", undo=f"{path}?do=open={todo}")
        case "open":
            services.tick(found, todo, done=False, actor=actor)
            return Toast("To be done again", undo=f"{path}?do=done={todo}")
        case "remove":
            services.remove_todo(found, todo, actor=actor)
            return Toast("It is off the list", undo=f"{path}?do=restore={todo}")
        case "restore":
            services.restore_todo(found, todo, actor=actor)
            return Toast("It is back on the list")
    return Toast("This page does not know what to do. Reload it and try again.", "error")
