"""Sessions in the database, as Django keeps them, with what `UserSession` says about each kept beside them."""

import re

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from daytwo_server.accounts.models import UserSession
from daytwo_server.core import clock
from daytwo_server.core.prepared import Prepared

_KEY = re.compile(r"[a-z0-9]{32}")
_IN_FORCE = Prepared[Session](lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now))


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        # Anybody can send any cookie, and in quotes it may even hold a NUL, which PostgreSQL takes in no statement.
        return key is not None and _KEY.fullmatch(key) is not None

    def _get_session_from_db(self) -> Session | None:
        found = _IN_FORCE(self.session_key, clock.now())  # of every page
        if not found:
            self._session_key = None
        return found[0] if found else None

    def cycle_key(self) -> None:
        """A new key for the same session, as after signing in and after a change of the password."""
        before = self.session_key
        super().cycle_key()
        if before:
            UserSession.objects.filter(session_key=before).update(session_key=self.session_key)

    def flush(self) -> None:
        """The end of the session."""
        before = self.session_key
        super().flush()
        if before:
            UserSession.objects.filter(session_key=before).delete()
