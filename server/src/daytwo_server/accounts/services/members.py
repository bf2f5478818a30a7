"""Who belongs to the workspace, and as what."""

import contextlib
from collections.abc import Iterator

from django.db import transaction

from daytwo_server.accounts import permissions
from daytwo_server.accounts.models import UNDO_WINDOW, FormerMembership, Membership, User, UserSession, Workspace
from daytwo_server.accounts.services.common import AccountsError, NotAllowedError
from daytwo_server.accounts.services.owners import active_owners, workspace
from daytwo_server.accounts.services.sessions import end_quietly
from daytwo_server.core import audit, clock, search
from daytwo_server.core.ref import Ref

OWNER = Membership.Role.OWNER
_POWER = {role: -place for place, role in enumerate(Membership.Role.values)}


class LastOwnerError(AccountsError):
    """Nobody would be left who may do everything."""


class ChangedMeanwhileError(AccountsError):
    """Somebody else changed it since the page was shown."""


def change_role(person: User, role: str, *, actor: User, was: str = "") -> None:
    """Give a member another role. `was` is the role that the actor saw.

    Raises `NotAllowedError`, `LastOwnerError`, `ChangedMeanwhileError`, or `AccountsError` for somebody who is gone.
    """
    with _roster(actor) as acting:
        member = member_of(person)
        if was and member.role != was:
            label = Membership.Role(member.role).label
            raise ChangedMeanwhileError(f"Somebody else made {person} {label} meanwhile. Nothing was changed.")
        check_may(acting, member.role, role)
        if acting.pk == member.user_id and _POWER[role] > _POWER[member.role]:
            raise NotAllowedError("Nobody gives themselves a more powerful role. Ask an owner.")
        if role == member.role:
            return
        _check_an_owner_is_left(member)
        Membership.objects.filter(pk=member.pk).update(role=role)
        audit.record(
            "accounts:member:role_changed", actor=acting, ref=_ref(person),
            before={"role": member.role}, after={"role": role},
        )  # fmt: skip


def remove_member(person: User, *, actor: User) -> None:
    """End membership and sessions at once; tokens the person made can do nothing. `restore_member` undoes it.

    Raises as `change_role` does.
    """
    with _roster(actor) as acting:
        member = member_of(person)
        check_may(acting, member.role)
        _check_somebody_else(acting, member)
        _check_an_owner_is_left(member)
        member.delete()
        left = {"role": member.role, "joined_at": member.created_at, "removed_at": clock.now()}
        FormerMembership.objects.update_or_create(user=person, defaults=left)
        end_quietly(UserSession.objects.filter(user=person))
        search.refresh("user", [person.pk])
        audit.record("accounts:member:removed", actor=acting, ref=_ref(person), before={"role": member.role})


def restore_member(person: User, *, actor: User) -> None:
    """Undo a removal; the person signs in again. Raises `AccountsError` later than ten minutes after it."""
    with _roster(actor) as acting:
        recent = FormerMembership.objects.filter(user=person, removed_at__gt=clock.now() - UNDO_WINDOW)
        former = recent.first()
        if former is None or Membership.objects.filter(user=person).exists():
            raise AccountsError("That was too long ago to undo. Invite the person instead.")
        check_may(acting, former.role)
        Membership.objects.create(user=person, role=former.role, workspace=workspace(), created_at=former.joined_at)
        recent.delete()
        search.refresh("user", [person.pk])
        audit.record("accounts:member:restored", actor=acting, ref=_ref(person), after={"role": former.role})


def switch_member(person: User, *, active: bool, actor: User) -> None:
    """Off: sessions end, nobody can sign in as them, their tokens can do nothing. On undoes that but the sessions.

    Raises as `change_role` does.
    """
    with _roster(actor) as acting:
        member = member_of(person)
        check_may(acting, member.role)
        _check_somebody_else(acting, member)
        if not active:
            _check_an_owner_is_left(member)
        if not User.objects.filter(pk=person.pk, is_active=not active).update(is_active=active):
            return
        if not active:
            end_quietly(UserSession.objects.filter(user=person))
        verb = "switched_on" if active else "switched_off"
        audit.record(
            f"accounts:member:{verb}", actor=acting, ref=_ref(person), before={"active": not active},
            after={"active": active},
        )  # fmt: skip


def end_sessions_of(person: User, *, actor: User) -> int:
    """Sign a member out everywhere; how many sessions there were. Raises `NotAllowedError`."""
    with _roster(actor) as acting:
        check_may(acting, member_of(person).role)
        ended = end_quietly(UserSession.objects.filter(user=person))
        audit.record("accounts:session:ended", actor=acting, ref=_ref(person), after={"sessions": ended})
    return ended


@contextlib.contextmanager
def _roster(actor: User) -> Iterator[User]:
    """A transaction in which nobody else changes who belongs here; gives the actor as they are now.

    Two owners who demote each other would otherwise both see the other one left. On SQLite a transaction has the one
    writer's place from its start (`transaction_mode`), so the lock is for PostgreSQL.
    """
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).filter(pk=1).first()
        yield User.objects.get(pk=actor.pk)


def member_of(person: User) -> Membership:
    """The membership as it is now. Raises `AccountsError` for somebody who is gone."""
    member = Membership.objects.select_related("user").filter(user=person).first()
    if member is None:
        raise AccountsError(f"{person} does not belong to the workspace any more.")
    return member


def check_may(acting: User, *roles: str) -> None:
    """Whether they may change people of these roles. Raises `NotAllowedError`."""
    needed = "owners.manage" if OWNER in roles else "members.manage"
    if not permissions.can(acting, needed):
        row = permissions.action(needed)
        raise NotAllowedError(f"This needs the role {row.needs} ({row.text}). Nothing was changed.")


def _check_somebody_else(acting: User, member: Membership) -> None:
    if acting.pk == member.user_id:
        raise NotAllowedError("Nobody removes or switches off themselves. Ask another owner or admin.")


def _check_an_owner_is_left(member: Membership) -> None:
    if member.role == OWNER and not active_owners().exclude(pk=member.pk).exists():
        raise LastOwnerError(f"{member.user} is the last owner. Make somebody else an owner first.")


def _ref(person: User) -> Ref:
    return Ref("user", person.pk)
