"""Linking and taking back. A link has no direction for those who look: each side shows the other."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from daytwo_server.accounts.models import User
from daytwo_server.core import audit, clock, live
from daytwo_server.core.ref import Ref
from daytwo_server.links.models import Link

MAX_LINKS = 200  # of one object; a list that nobody reads to its end helps nobody


class LinkError(ValueError):
    """The two cannot be linked; the text says why."""


def topic(ref: Ref) -> str:
    """What live pages listen to for the links of an object."""
    return f"links.{ref.kind}.{ref.id}"


@transaction.atomic
def link(one: Ref, other: Ref, *, actor: User | None, rule: str = "") -> Link | None:
    """Link two objects. What is linked already stays as it is; what a person took apart no `rule` puts together again,
    which is answered with None. Raises `LinkError` for an object and itself, and for one that has too many links.
    """
    if (one.kind, one.id) == (other.kind, other.id):
        raise LinkError("This is the page of that one.")
    known = Link.objects.select_for_update().filter(_between(one, other)).first()
    if known is not None:
        return _revived(known, actor=actor) if known.removed_at and actor else (None if known.removed_at else known)
    if any(Link.objects.filter(touching(ref), removed_at=None).count() >= MAX_LINKS for ref in (one, other)):
        raise LinkError(f"There are {MAX_LINKS} links already; remove some that no longer help.")
    made, created = Link.objects.get_or_create(
        from_kind=one.kind, from_id=one.id, to_kind=other.kind, to_id=other.id,
        defaults={"rule": rule, "made_by": actor},
    )  # fmt: skip
    if created:
        _note("made", made, actor=actor)
    return made


@transaction.atomic
def unlink(found: Link, *, actor: User) -> None:
    """Take the two apart; `relink` undoes it."""
    if Link.objects.filter(pk=found.pk, removed_at=None).update(removed_at=clock.now()):
        _note("removed", found, actor=actor)


@transaction.atomic
def relink(found: Link, *, actor: User) -> None:
    """Put together again what was taken apart."""
    _revived(found, actor=actor)


def touching(ref: Ref) -> Q:
    """The links on either side of which this object stands."""
    return Q(from_kind=ref.kind, from_id=ref.id) | Q(to_kind=ref.kind, to_id=ref.id)


def _between(one: Ref, other: Ref) -> Q:
    there = Q(from_kind=one.kind, from_id=one.id, to_kind=other.kind, to_id=other.id)
    return there | Q(from_kind=other.kind, from_id=other.id, to_kind=one.kind, to_id=one.id)


def _revived(found: Link, *, actor: User | None) -> Link:
    if Link.objects.filter(pk=found.pk, removed_at__isnull=False).update(removed_at=None):
        _note("made", found, actor=actor)
    found.removed_at = None
    return found


def _note(verb: str, found: Link, *, actor: User | None) -> None:
    one, other = Ref(found.from_kind, found.from_id), Ref(found.to_kind, found.to_id)
    words = {"with": f"{other.kind} {other.id}"} | ({"rule": found.rule} if found.rule else {})
    audit.record(f"links:link:{verb}", actor=actor, ref=one, after=words)
    live.bump(topic(one), topic(other))
