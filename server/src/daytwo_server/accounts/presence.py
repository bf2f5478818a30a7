"""Writing down where people are signed in and when they were seen there. Ending it is `services.sessions`."""

import datetime as dt
import logging
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.db import DatabaseError
from django.db.models import Q
from django.http import HttpRequest

from daytwo_server.accounts.http import client_address
from daytwo_server.accounts.models import User, UserSession
from daytwo_server.core import clock

SEEN_IS_NOTED_EVERY = dt.timedelta(minutes=1)
_MOST_REMEMBERED = 10_000
_noted: dict[str, dt.datetime] = {}
log = logging.getLogger(__name__)


def note_sign_in(request: HttpRequest, user: User, **_signal: Any) -> None:
    """Receives Django's `user_logged_in`."""
    session = request.session
    if session.session_key is None:  # somebody else was signed in here, and their session has just been thrown away
        session.save()
    now = clock.now()
    seen = _traits(request) | {"user": user, "signed_in_at": now, "last_seen_at": now}
    UserSession.objects.update_or_create(session_key=session.session_key, defaults=seen)
    _remember(str(session.session_key), now)


def note_use(request: HttpRequest) -> None:
    """Move "last seen" of the session in which a page is shown.

    At most once a minute in each process; in between this costs a look into a dictionary.
    """
    session: SessionBase | None = getattr(request, "session", None)
    key, now = session.session_key if session is not None else None, clock.now()
    if key is None or (key in _noted and now - _noted[key] < SEEN_IS_NOTED_EVERY):
        return
    # Remembered first: while the store cannot be written to, not every page has to find that out again.
    _remember(key, now)
    try:
        _write(key, request, now)
    except DatabaseError as problem:  # locked, full, read-only: no reason not to show the page
        log.warning("it could not be noted that a session is in use", extra={"problem": str(problem)})


def _write(key: str, request: HttpRequest, now: dt.datetime) -> None:
    known, seen = UserSession.objects.filter(session_key=key), _traits(request) | {"last_seen_at": now}
    stale = Q(last_seen_at__lte=now - SEEN_IS_NOTED_EVERY)  # another process may have noted it just now
    if not known.filter(stale).update(**seen) and not known.exists():
        # Signed in through an earlier version of Daytwo, which did not write sessions down.
        UserSession.objects.get_or_create(session_key=key, defaults=seen | {"user": request.user})


def _traits(request: HttpRequest) -> dict[str, Any]:
    # PostgreSQL takes no NUL, and headers may hold one.
    agent = request.headers.get("User-Agent", "").replace("\x00", "")
    return {"address": client_address(request)[:45], "user_agent": agent[:300]}


def _remember(key: str, now: dt.datetime) -> None:
    if len(_noted) >= _MOST_REMEMBERED:
        _noted.clear()  # costs each session one write, once
    _noted[key] = now
