"""Ending sessions. `accounts.presence` writes down that they are there."""

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet

from daytwo_server.accounts.models import User, UserSession
from daytwo_server.core import audit, sql
from daytwo_server.core.ref import Ref


def end_session(session: UserSession, *, actor: User) -> None:
    """Whoever uses that browser has to sign in again."""
    with transaction.atomic():
        if end_quietly(UserSession.objects.filter(pk=session.pk)):
            audit.record("accounts:session:ended", actor=actor, ref=Ref("user", session.user_id), after={"sessions": 1})


def end_other_sessions(user: User, session_key: str) -> int:
    """End all of a person's sessions but this one; how many there were."""
    with transaction.atomic():
        ended = end_quietly(UserSession.objects.filter(user=user).exclude(session_key=session_key))
        if ended:
            audit.record("accounts:session:ended", actor=user, ref=Ref("user", user.pk), after={"sessions": ended})
    return ended


def end_quietly(sessions: QuerySet[UserSession]) -> int:
    """End these in the current transaction, for callers that write an audit entry of their own; how many there were."""
    # Read first: somebody who signs in between the two deletions keeps both rows.
    found = dict(sessions.values_list("pk", "session_key"))
    for rows in sql.batches(list(found), 500):
        Session.objects.filter(session_key__in=[found[row] for row in rows]).delete()
        UserSession.objects.filter(pk__in=rows).delete()
    return len(found)
