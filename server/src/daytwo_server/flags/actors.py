"""Who changes flags: a member, a program with an API token, or Daytwo itself."""

from __future__ import annotations

from dataclasses import dataclass

from daytwo_server.accounts.models import ApiToken, User

MAX_BY = 150


@dataclass(frozen=True)
class Actor:
    """`name` is how people read it. Without a user and a token it is Daytwo itself: "guard", "ramp"."""

    name: str
    user: User | None = None
    token: ApiToken | None = None

    @property
    def is_automatic(self) -> bool:
        return self.user is None and self.token is None

    @property
    def row(self) -> User | ApiToken | None:
        """Who the audit log names."""
        return self.user or self.token

    @property
    def code(self) -> str:
        """For facts, which carry no names: "user:7", "token:3", "guard"."""
        if self.row is None:
            return self.name[:MAX_BY]
        return f"{'user' if self.user else 'token'}:{self.row.pk}"


GUARD = Actor("guard")  # what holds, steps back or kills where errors gather


def of_user(user: User) -> Actor:
    """A member, as changes name them."""
    return Actor(str(user)[:MAX_BY], user)


def of_token(token: ApiToken) -> Actor:
    """A program, by the label of its token."""
    return Actor(f"{token.label} (API)"[:MAX_BY], token=token)
