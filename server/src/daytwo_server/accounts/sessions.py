"""Sessions in the database, as Django keeps them; a cookie that cannot name one is no session."""

import re

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        # Anybody can send any cookie, and in quotes it may even hold a NUL, which PostgreSQL takes in no statement.
        return key is not None and _KEY.fullmatch(key) is not None
