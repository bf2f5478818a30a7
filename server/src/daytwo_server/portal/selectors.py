"""Who is signed in, and what the pages of customers show."""

from __future__ import annotations

from daytwo_server.core import clock
from daytwo_server.portal.models import Session
from daytwo_server.portal.services.entering import cookie_digest
from daytwo_server.tickets.selectors.customers import Reader

MAX_COOKIE = 100


def session_of(cookie: str) -> Session | None:
    """The session of this cookie, with its customer; None for one that has ended, or whose customer was erased."""
    if not cookie or len(cookie) > MAX_COOKIE:
        return None
    alive = Session.objects.filter(ends_at__gt=clock.now(), customer__erased_at=None)
    return alive.select_related("customer__organization").filter(digest=cookie_digest(cookie)).first()


def reader(session: Session) -> Reader:
    """Whose tickets the session may read: what was shown to be theirs, and not a row more.

    By a mailed link that is the address, whoever they are in the app; by the app's word that user, whatever address
    they have there. Neither way leads to the other's tickets.
    """
    if session.address:
        return Reader(address=session.address)
    return Reader(user_id=session.customer.user_id)
