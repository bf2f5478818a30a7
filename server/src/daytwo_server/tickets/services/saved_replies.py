"""Answers that are given often: keeping them, and using them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import F

from daytwo_server.accounts.models import User
from daytwo_server.core import audit, clock
from daytwo_server.core.ref import Ref
from daytwo_server.tickets import checks, variables
from daytwo_server.tickets.checks import REPLY, Problems
from daytwo_server.tickets.models import Category, SavedReply, Status, Ticket
from daytwo_server.tickets.services.common import Actor, person_of

NAME = (1, 80)
SHORTCUT = (0, 30)
MOST = 500  # of one person, and of everybody together
UNDO_WINDOW = dt.timedelta(minutes=10)
# Where an answer may send a ticket.
STATUSES = (Status.WAITING_CUSTOMER, Status.IN_PROGRESS, Status.RESOLVED)


class TooLate(Exception):
    """It was deleted too long ago to be brought back."""

    def __init__(self) -> None:
        super().__init__("That was too long ago to undo. Write the reply anew instead.")


@dataclass(frozen=True, kw_only=True)
class ReplyWords:
    """A saved reply as somebody wrote it. Empty `category` and `status` mean none."""

    name: str
    text: str
    shortcut: str = ""
    category: str = ""
    status: str = ""
    tags: Sequence[str] = ()
    shared: bool = False


@transaction.atomic
def save_reply(words: ReplyWords, *, actor: Actor, known: SavedReply | None = None) -> SavedReply:
    """Keep a new one, or `known` with other words. Raises `Invalid`."""
    clean, now = _checked(words, known, actor), clock.now()
    one = known or SavedReply(owner=person_of(actor), created_at=now)
    if not clean.shared:
        one.owner = _owner(known, actor)
    was_shared = one.shared
    for name in ("name", "text", "shortcut", "category", "status", "shared"):
        setattr(one, name, getattr(clean, name))
    one.tags, one.updated_at = list(clean.tags), now
    one.save()
    if one.shared or was_shared:
        _tell("changed" if known else "created", one, actor)
    return one


@transaction.atomic
def delete_reply(one: SavedReply, *, actor: Actor) -> None:
    """Take it away; `restore_reply` brings it back for ten minutes."""
    if SavedReply.objects.filter(pk=one.pk, deleted_at=None).update(deleted_at=clock.now()) and one.shared:
        _tell("deleted", one, actor)


@transaction.atomic
def restore_reply(one: SavedReply, *, actor: Actor) -> None:
    """Undo a deletion. Raises `TooLate`."""
    recent = SavedReply.objects.filter(pk=one.pk, deleted_at__gt=clock.now() - UNDO_WINDOW)
    if not recent.update(deleted_at=None):
        raise TooLate
    if one.shared:
        _tell("restored", one, actor)


def note_use(one: SavedReply) -> None:
    """It was sent: what is used most stands first."""
    SavedReply.objects.filter(pk=one.pk).update(used=F("used") + 1)


def filled_for(one: SavedReply, ticket: Ticket, agent: User | None) -> str:
    """The text for this ticket, answered by this person."""
    customer, by = ticket.customer, str(agent) if agent else ""
    organization = ticket.organization
    values = {
        "customer.name": customer.name,
        "customer.first_name": variables.first_word(customer.name),
        "customer.email": customer.email,
        "organization.name": organization.name if organization else "",
        "ticket.code": ticket.code,
        "ticket.subject": ticket.subject,
        "agent.name": by,
        "agent.first_name": variables.first_word(by),
    }
    return variables.filled(one.text, values)


def _checked(words: ReplyWords, known: SavedReply | None, actor: Actor) -> ReplyWords:
    problems = Problems()
    clean = replace(
        words,
        name=problems.text(" ".join(words.name.split()), "name", *NAME),
        text=problems.text(words.text, "text", *REPLY),
        shortcut=problems.text(words.shortcut, "shortcut", *SHORTCUT).lower(),
    )
    if any(not char.isprintable() for char in clean.name):
        problems.add("name", "No control characters are allowed here.")
    if clean.shortcut and not clean.shortcut.replace("-", "").replace("_", "").isalnum():
        problems.add("shortcut", "Letters, digits, - and _ alone.")
    if wrong := variables.problem(clean.text):
        problems.add("text", wrong)
    if clean.category:
        problems.choice(clean.category, "category", Category)
    if clean.status and clean.status not in STATUSES:
        problems.add("status", f"Choose one of {', '.join(STATUSES)}.")
    _room_for(clean, known, actor, problems)
    try:
        clean = replace(clean, tags=checks.tags(words.tags))
    except checks.Invalid as wrong_tags:
        problems.add("tags", " ".join(wrong_tags.fields["tags"]))
    problems.raise_any()
    return clean


def _room_for(words: ReplyWords, known: SavedReply | None, actor: Actor, problems: Problems) -> None:
    mine = SavedReply.objects.filter(deleted_at=None)
    owner = _owner(known, actor)
    if owner is None and not words.shared:
        problems.add("shared", "Nobody is behind this token, so what it makes is for everybody: send true.")
    there = mine.filter(shared=True) if words.shared else mine.filter(owner=owner, shared=False)
    if known:
        there = there.exclude(pk=known.pk)
    if words.shortcut and there.filter(shortcut=words.shortcut).exists():
        problems.add("shortcut", "Another reply has this shortcut already.")
    if there.count() >= MOST:
        problems.add("name", f"There are {MOST} replies already; delete one first.")


def _owner(known: SavedReply | None, actor: Actor) -> User | None:
    """Who keeps it for themselves: of one whose owner is gone, or that a program made, whoever changes it."""
    return (known.owner if known else None) or person_of(actor)


def _tell(verb: str, one: SavedReply, actor: Actor) -> None:
    audit.record(f"tickets:saved-reply:{verb}", actor=actor, ref=Ref("saved_reply", one.pk))
