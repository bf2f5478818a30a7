"""Sessions in the database, as Django keeps them, with what `UserSession` says about each kept beside them."""

import re

from django.contrib.sessions.backends import db

from daytwo_server.accounts.models import UserSession

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        # Anybody can send any cookie, and in quotes it may even hold a NUL, which PostgreSQL takes in no statement.
        return key is not None and _KEY.fullmatch(key) is not None

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
