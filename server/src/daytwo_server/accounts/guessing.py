"""How often somebody may be wrong before they have to wait.

A browser that somebody signed in with before is known by a cookie and has attempts of its own, so that strangers who
guess cannot lock people out. Everybody else is counted by account and address, by account, and by address. The known
browser follows OWASP's "device cookies".
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "daytwo_known"
COOKIE_AGE_S = 180 * 24 * 3600
_SALT = "daytwo.known-browsers"
_ACCOUNTS_A_BROWSER = 5
PASSWORD, CODE = "password", "code"  # what is guessed
_LIMITS = {
    "password:known": "5/5m/key",
    "password:address": "10/m/key",
    "password:pair": "5/5m/key",
    "password:account": "20/15m/key",
    # Whoever guesses codes has the password. Three of a million codes are right at any time, so 50 guesses a day
    # come through once in eighteen years.
    "code:known": "5/5m/key,50/d/key",
    "code:address": "10/m/key",
    "code:pair": "5/5m/key",
    "code:account": "10/15m/key,50/d/key",
    # Whatever is sent, right or wrong: a password costs a tenth of a second to look at, a visit a row.
    "hurry:sign-in": "30/m/key",
    "hurry:passkey": "60/m/key",
}


class TooManyGuesses(Exception):
    """This attempt must not even be looked at."""


@dataclass(frozen=True)
class Attempt:
    """One guess, counted until it is forgiven."""

    used: tuple[ratelimit.RateLimitUsage, ...]

    def forgive(self) -> None:
        """It was right: take back this one. Those before it stay, or an account of one's own would refill them."""
        for usage in self.used:
            usage.rollback()


def count(request: HttpRequest, what: str, email: str, address: str) -> Attempt:
    """Count a guess before it is looked at. Raises `TooManyGuesses`."""
    used: list[ratelimit.RateLimitUsage] = []
    for limit, key in _counted_under(request, what, email, address):
        usage = ratelimit.consume(request, app="daytwo", action=limit, config=_LIMITS, key=key)
        if usage is None:
            # What is refused at one address must not use up what the account has for all the others.
            raise TooManyGuesses
        used.append(usage)
    return Attempt(tuple(used))


def in_a_hurry(request: HttpRequest, what: str, address: str) -> bool:
    """Whether more was sent in the last minute than people send: from this browser, if it is known, or this address."""
    marks = " ".join(_known(request).values())
    return not ratelimit.consume(
        request, app="daytwo", action=f"hurry:{what}", config=_LIMITS, key=f"known {marks}" if marks else address
    )


def forget(request: HttpRequest, email: str, address: str) -> None:
    """Start anew for this person: they proved to read their mail."""
    for limit, key in _counted_under(request, PASSWORD, email, address):
        ratelimit.clear(request, app="daytwo", action=limit, config=_LIMITS, key=key)


def remember(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Know this browser again when it signs in to this account."""
    known = _known(request)
    mark = known.pop(_digest(email), None) or secrets.token_urlsafe(9)
    latest = dict([*known.items(), (_digest(email), mark)][-_ACCOUNTS_A_BROWSER:])
    response.set_cookie(
        COOKIE, signing.dumps(latest, salt=_SALT), max_age=COOKIE_AGE_S, path=settings.SESSION_COOKIE_PATH,
        secure=bool(settings.SESSION_COOKIE_SECURE), httponly=True, samesite="Lax",
    )  # fmt: skip


def _counted_under(request: HttpRequest, what: str, email: str, address: str) -> Iterator[tuple[str, str]]:
    if mark := _known(request).get(_digest(email)):
        yield f"{what}:known", f"{email} {mark}"
        return
    yield f"{what}:address", address
    yield f"{what}:pair", f"{email} {address}"
    yield f"{what}:account", email


def _known(request: HttpRequest) -> dict[str, str]:
    """The marks of accounts that signed in here, by the digest of their address; the latest last."""
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=COOKIE_AGE_S)
    except signing.BadSignature:
        return {}
    return dict(known)


def _digest(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()[:16]
