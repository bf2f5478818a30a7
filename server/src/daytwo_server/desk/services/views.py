"""Saved views of lists."""

import datetime as dt
import re
import urllib.parse

from django.db import transaction
from django.db.models import Max

from daytwo_server.accounts.models import User
from daytwo_server.core import audit, clock
from daytwo_server.core.ref import Ref
from daytwo_server.desk.models import SavedView

MAX_NAME = 60
MAX_QUERY = 2000
MAX_OWN = 50
UNDO_WINDOW = dt.timedelta(minutes=10)
_PAGE = re.compile(r"[a-z][a-z.-]{0,49}")
# What says where in a list somebody is, not which list it is.
PLACE = frozenset({"cursor", "open", "page"})


class DeskError(Exception):
    """What was asked cannot be done; the text says why and what to do."""


def normal(query: str) -> str:
    """A query string in the form in which two can be compared: sorted, without empty values and the place in it."""
    pairs = urllib.parse.parse_qsl(query, max_num_fields=50)
    return urllib.parse.urlencode(sorted((name, value) for name, value in pairs if name not in PLACE))


def save_view(user: User, page: str, name: str, query: str, *, shared: bool = False) -> SavedView:
    """Keep a list's address under a name. The same name again replaces what this person kept under it.

    Raises `DeskError` for a name or an address that cannot be kept.
    """
    name, query = _name(name), _query(query)
    if not _PAGE.fullmatch(page):
        raise DeskError("This list has no name to keep views under.")
    with transaction.atomic():
        own = SavedView.objects.filter(owner=user, page=page, deleted_at=None)
        known = own.filter(name=name).first()
        if known is None and own.count() >= MAX_OWN:
            raise DeskError(f"You have {MAX_OWN} views of this list; delete one first.")
        last = own.aggregate(last=Max("position"))["last"] or 0
        view = known or SavedView(owner=user, page=page, name=name, position=last + 1)
        view.query, view.shared = query, shared
        view.save()
        if shared:
            audit.record("desk:view:shared", actor=user, ref=Ref("view", view.pk))
    return view


def rename_view(view: SavedView, name: str) -> None:
    """Raises `DeskError`, also when its owner calls another view of this list so."""
    name = _name(name)
    twins = SavedView.objects.filter(owner=view.owner_id, page=view.page, name=name, deleted_at=None)
    if twins.exclude(pk=view.pk).exists():
        raise DeskError(f"There is a view {name!r} already; choose another name.")
    SavedView.objects.filter(pk=view.pk).update(name=name)


def share_view(view: SavedView, *, shared: bool, actor: User) -> None:
    """Show it to everybody, or to its owner only."""
    with transaction.atomic():
        if SavedView.objects.filter(pk=view.pk, shared=not shared).update(shared=shared):
            audit.record(f"desk:view:{'shared' if shared else 'hidden'}", actor=actor, ref=Ref("view", view.pk))


def move_view(view: SavedView, step: int) -> None:
    """One place to the left (-1) or to the right (1) among its owner's."""
    with transaction.atomic():
        own = SavedView.objects.filter(owner=view.owner_id, page=view.page, deleted_at=None)
        order = list(own.order_by("position", "pk").values_list("pk", flat=True))
        here = order.index(view.pk) if view.pk in order else -1
        there = here + step
        if here < 0 or not 0 <= there < len(order):
            return
        order[here], order[there] = order[there], order[here]
        for position, pk in enumerate(order, start=1):
            SavedView.objects.filter(pk=pk).exclude(position=position).update(position=position)


def delete_view(view: SavedView, *, actor: User) -> None:
    """Take it away; `restore_view` brings it back for ten minutes."""
    with transaction.atomic():
        if SavedView.objects.filter(pk=view.pk, deleted_at=None).update(deleted_at=clock.now()) and view.shared:
            audit.record("desk:view:deleted", actor=actor, ref=Ref("view", view.pk))


def restore_view(view: SavedView, *, actor: User) -> None:
    """Undo a deletion. Raises `DeskError` later than ten minutes after it."""
    recent = SavedView.objects.filter(pk=view.pk, deleted_at__gt=clock.now() - UNDO_WINDOW)
    with transaction.atomic():
        if not recent.update(deleted_at=None):
            raise DeskError("That was too long ago to undo. Save the view again instead.")
        if view.shared:
            audit.record("desk:view:restored", actor=actor, ref=Ref("view", view.pk))


def _name(name: str) -> str:
    trimmed = " ".join(name.split())
    if not trimmed:
        raise DeskError("Give the view a name.")
    if len(trimmed) > MAX_NAME:
        raise DeskError(f"The name has {len(trimmed)} characters; at most {MAX_NAME} fit.")
    if not trimmed.isprintable():
        raise DeskError("The name holds characters that cannot be printed; type it again.")
    return trimmed


def _query(query: str) -> str:
    try:
        usual = normal(query)
    except ValueError:
        raise DeskError("This address has too many parts to be kept.") from None
    if len(usual) > MAX_QUERY or "\x00" in urllib.parse.unquote(usual):
        raise DeskError("This address is too long to be kept; use fewer filters.")
    return usual
