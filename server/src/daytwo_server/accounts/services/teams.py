"""Teams: who answers together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from daytwo_server.accounts.models import ApiToken, Team, User
from daytwo_server.accounts.services.common import AccountsError
from daytwo_server.core import audit, clock
from daytwo_server.core.ref import Ref
from daytwo_server.mail import threads

MAX_NAME = 100
MAX_TEAMS = 100
MAX_MEMBERS = 100


class TeamError(AccountsError):
    """It cannot be so; `field` is what to change."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class TeamWords:
    """What a team is: `members` are ids of people; without an `address` each of them gets mail by themselves."""

    name: str
    address: str = ""
    members: Collection[int] = ()


def save_team(words: TeamWords, *, actor: User | ApiToken | None, known: Team | None = None) -> Team:
    """A new one, or `known` as it is now said. A ticket names its team, so another name is another team to it.

    Raises `TeamError`.
    """
    with transaction.atomic():
        _checked(words, known)
        team = known or Team(created_at=clock.now())
        before = _told(team) if known else None
        team.name, team.address = words.name, words.address.lower()
        with _name_of_its_own(team):
            team.save()
        team.members.set(words.members)
        _note("changed" if known else "created", team, actor, before=before, after=_told(team))
    return team


def archive_team(team: Team, *, archived: bool, actor: User | None) -> None:
    """Mail to nobody by this name any more, or again. Raises `TeamError` when another team has the name meanwhile, or
    there are as many as there may be.
    """
    with transaction.atomic():
        if not archived:
            _only_one(team.name, team)
            _room_for_one_more(team)
        found = Team.objects.filter(pk=team.pk, archived_at__isnull=archived)
        with _name_of_its_own(team):
            changed = found.update(archived_at=clock.now() if archived else None)
        if changed:
            _note("archived" if archived else "restored", team, actor)


def _checked(words: TeamWords, known: Team | None) -> None:
    if not words.name or len(words.name) > MAX_NAME or not words.name.isprintable():
        raise TeamError("name", f"A name of 1 to {MAX_NAME} printable characters.")
    _only_one(words.name, known)
    if known is None:
        _room_for_one_more()
    if len(words.members) > MAX_MEMBERS:
        raise TeamError("members", f"A team has at most {MAX_MEMBERS} members; give it an address instead.")
    if words.address:
        _checked_address(words.address)


def _room_for_one_more(team: Team | None = None) -> None:
    """Beside the team itself, where that is one of them already."""
    others = Team.objects.filter(archived_at=None)
    if (others.exclude(pk=team.pk) if team else others).count() >= MAX_TEAMS:
        raise TeamError("name", f"There are {MAX_TEAMS} teams already; change one of them.")


def _checked_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError:
        raise TeamError("address", "Write one e-mail address, like billing@example.com.") from None
    if threads.is_inbound(address):
        raise TeamError("address", "Mail to this address comes back here as a new ticket. Name another one.")


def _only_one(name: str, team: Team | None) -> None:
    others = Team.objects.filter(name__iexact=name, archived_at=None)
    if (others.exclude(pk=team.pk) if team else others).exists():
        raise TeamError("name", "Another team has this name.")


@contextmanager
def _name_of_its_own(team: Team) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError:  # somebody else took the name since it was looked for
        _only_one(team.name, team)
        raise


def _told(team: Team) -> dict[str, Any]:
    return {"name": team.name, "members": sorted(team.members.values_list("pk", flat=True))}


def _note(verb: str, team: Team, actor: User | ApiToken | None, *, before: Any = None, after: Any = None) -> None:
    audit.record(f"accounts:team:{verb}", actor=actor, ref=Ref("team", team.pk), before=before, after=after)
