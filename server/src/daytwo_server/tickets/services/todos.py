"""What is to be done for a ticket: a list that is ticked off."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from daytwo_server.core import clock, live
from daytwo_server.tickets import checks
from daytwo_server.tickets.checks import Invalid
from daytwo_server.tickets.machine import Impossible
from daytwo_server.tickets.models import Status, Ticket, Todo
from daytwo_server.tickets.services.common import Actor, held, note_audit, person_of, ticket_topic

MAX_TODOS, MAX_TODO = 50, 200  # of one ticket; characters
_CLOSED = "This ticket is closed, and a closed ticket does not change."


class TodoGone(LookupError):
    """There is nothing like that on the list of this ticket."""


@transaction.atomic
def add_todos(ticket: Ticket, texts: Sequence[str], *, actor: Actor) -> list[Todo]:
    """Put these below what is on the list. Raises `Invalid` for empty, long or too many ones, `Impossible` when the
    ticket is closed.
    """
    lines = [checks.one_line(text, MAX_TODO + 1) for text in texts]
    if not lines or not all(lines):
        raise Invalid({"text": ["Write what is to be done."]})
    if any(len(line) > MAX_TODO for line in lines):
        raise Invalid({"text": [f"At most {MAX_TODO} characters each."]})
    _changing(ticket)
    if Todo.objects.filter(ticket=ticket, removed_at=None).count() + len(lines) > MAX_TODOS:
        raise Invalid({"text": [f"At most {MAX_TODOS} on the list of one ticket."]})
    now = clock.now()
    made = Todo.objects.bulk_create([Todo(ticket=ticket, text=line, created_at=now) for line in lines])
    note_audit("todos-added", ticket, actor, after={"todos": [one.pk for one in made]})
    live.bump(ticket_topic(ticket.pk))
    return made


def tick(ticket: Ticket, todo: int, *, done: bool, actor: Actor) -> Todo:
    """Done, by the actor, or not yet. What is so already stays as it is. Raises `TodoGone`, `Impossible`."""
    at, by = (clock.now(), person_of(actor)) if done else (None, None)
    return _change(ticket, todo, actor, "todo-done" if done else "todo-open", done_at=at, done_by=by)


def remove_todo(ticket: Ticket, todo: int, *, actor: Actor) -> Todo:
    """Take it off the list. Raises `TodoGone`, `Impossible`."""
    return _change(ticket, todo, actor, "todo-removed", removed_at=clock.now())


def restore_todo(ticket: Ticket, todo: int, *, actor: Actor) -> Todo:
    """Put it back where it stood. Raises `TodoGone`, `Impossible`."""
    return _change(ticket, todo, actor, "todo-restored", removed_at=None)


@transaction.atomic
def _change(ticket: Ticket, todo: int, actor: Actor, verb: str, **values: object) -> Todo:
    _changing(ticket)
    found = Todo.objects.filter(ticket=ticket, pk=todo).first()
    if found is None or (found.removed_at and "removed_at" not in values):
        raise TodoGone("This is not on the list any more.")
    first, value = next(iter(values.items()))
    if bool(getattr(found, first)) == bool(value):
        return found
    for name, one in values.items():
        setattr(found, name, one)
    found.save(update_fields=list(values))
    note_audit(verb, ticket, actor, after={"todo": found.pk})
    live.bump(ticket_topic(ticket.pk))
    return found


def _changing(ticket: Ticket) -> None:
    if held(ticket.pk).status == Status.CLOSED:
        raise Impossible(_CLOSED)
