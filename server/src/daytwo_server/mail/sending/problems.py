"""Why a mail did not go out: because of it, or because of the way it would have gone."""

from __future__ import annotations


class Refused(Exception):
    """This mail is not taken. The words are the server's."""

    def __init__(self, words: str, *, permanent: bool) -> None:
        super().__init__(words)
        self.permanent = permanent


class Unavailable(Exception):
    """No mail is taken now: the server is away, or does not let us in."""


class ClaimLost(Exception):
    """Another worker has this delivery by now."""
