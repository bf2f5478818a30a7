"""What is queued goes out: in order for each recipient and thread, each once, for as long as it takes.

A delivery is claimed before it is sent, by a token. Just before the server may say yes, the row says so
(`handed_over`), under the same token: a worker that was suspended and lost its claim never gets past that point. A
process that is killed before it has sent nothing, so the next one sends. One that is killed after it almost certainly
has, so the next one does not, and says that the answer was not seen.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import time
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Min, OuterRef, QuerySet

from daytwo_server.core import clock, facts
from daytwo_server.core.masking import error_line
from daytwo_server.mail.facts import MailFailed, MailSent
from daytwo_server.mail.models import Delivery, Outage
from daytwo_server.mail.sending.problems import ClaimLost, Refused, Unavailable
from daytwo_server.mail.sending.provider import ProviderWay
from daytwo_server.mail.sending.smtp import ANSWER_PATIENCE_S, SmtpWay

log = logging.getLogger(__name__)

State = Delivery.State
WAITING = (State.QUEUED, State.SENDING)
LEASE = dt.timedelta(seconds=60)
HANDED_OVER_LEASE = dt.timedelta(seconds=ANSWER_PATIENCE_S) + LEASE
# 1 min, 2 min, ... an hour: 50 tries take two days, as mail servers do.
FIRST_DELAY, LONGEST_DELAY, MAX_ATTEMPTS = dt.timedelta(minutes=1), dt.timedelta(hours=1), 50
# A server that is away is asked again every five minutes at most: one connection, whatever waits.
FIRST_OUTAGE, LONGEST_OUTAGE = dt.timedelta(seconds=15), dt.timedelta(minutes=5)
UNSEEN = "The process ended before the server's answer was seen. It has most likely arrived; send it again if not."


class _Way(Protocol):
    def send(self, delivery: Delivery, hand_over: Any) -> str: ...
    def close(self) -> None: ...


def drain(*, for_s: float) -> dt.datetime | None:
    """Send what is due, at most for about so long; when to come again, None when nothing waits."""
    until = time.monotonic() + for_s
    _recover()
    outage = Outage.objects.first()
    if outage and outage.until > clock.now():
        return outage.until
    way: _Way | None = None
    try:
        while time.monotonic() < until:
            delivery = _claim()
            if delivery is None:
                return _next_due()
            way = way or _way()
            _send(way, delivery)
            if outage:
                _end(outage)
                outage = None
    except Unavailable as problem:
        return _begin_or_prolong(outage, str(problem))
    finally:
        if way:
            way.close()
    return clock.now()


def _way() -> _Way:
    return ProviderWay() if settings.EMAIL_BACKEND.startswith("anymail.") else SmtpWay()


def _recover() -> None:
    """What a process that was killed left behind."""
    left = Delivery.objects.filter(state=State.SENDING, lease_ends__lte=clock.now())
    left.filter(handed_over=False).update(state=State.QUEUED, token="")
    for delivery in left.filter(handed_over=True):
        log.warning("Delivery %d was under way when the process ended, and is taken as sent.", delivery.pk)
        _settle(delivery, State.SENT, problem=UNSEEN)


def _heads() -> QuerySet[Delivery]:
    """Those that wait for nothing but their time: the first of each lane."""
    earlier = Delivery.objects.filter(lane=OuterRef("lane"), pk__lt=OuterRef("pk"), state__in=WAITING)
    return Delivery.objects.filter(~Exists(earlier), state=State.QUEUED)


def _claim() -> Delivery | None:
    """Take the delivery that has been due for longest; of two workers one gets it."""
    while True:
        now, token = clock.now(), secrets.token_hex(8)
        found = _heads().filter(due_at__lte=now).order_by("due_at", "pk").first()
        if found is None:
            return None
        claimed = {"state": State.SENDING, "token": token, "lease_ends": now + LEASE, "handed_over": False}
        if Delivery.objects.filter(pk=found.pk, state=State.QUEUED).update(**claimed):
            found.state, found.token = State.SENDING, token
            return found


def _send(way: _Way, delivery: Delivery) -> None:
    """One delivery to its end, or put off. Raises `Unavailable`, and then it is queued as before."""

    def hand_over() -> None:
        if not _mine(delivery).update(handed_over=True, lease_ends=clock.now() + HANDED_OVER_LEASE):
            raise ClaimLost(f"Delivery {delivery.pk} is in other hands.")

    try:
        provider_id = way.send(delivery, hand_over)
    except ClaimLost as lost:
        log.warning("%s", lost)
    except Unavailable:
        _mine(delivery).update(state=State.QUEUED, token="", handed_over=False)
        raise
    except Refused as refused:
        _refused(delivery, refused)
    except Exception as error:
        log.error("Delivery %d cannot be sent.", delivery.pk, exc_info=error)
        _refused(delivery, Refused(error_line(error), permanent=getattr(error, "permanent", False)))
    else:
        _settle(delivery, State.SENT, provider_id=provider_id)


def _mine(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, token=delivery.token, state=State.SENDING)


def _refused(delivery: Delivery, refused: Refused) -> None:
    attempts = delivery.attempts + 1
    if refused.permanent or attempts >= MAX_ATTEMPTS:
        _settle(delivery, State.FAILED, problem=str(refused))
        return
    delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempts - 1, 10))
    _mine(delivery).update(
        state=State.QUEUED, token="", handed_over=False, attempts=attempts,
        due_at=clock.now() + delay, problem=str(refused),
    )  # fmt: skip


@transaction.atomic
def _settle(delivery: Delivery, state: Delivery.State, *, problem: str = "", provider_id: str = "") -> None:
    settled = {"state": state, "problem": problem, "settled_at": clock.now(), "lease_ends": None}
    if _mine(delivery).update(**settled, provider_id=provider_id[:255]):
        happened = MailSent if state == State.SENT else MailFailed
        facts.record(happened(delivery.pk, delivery.about))


def _next_due() -> dt.datetime | None:
    due = _heads().aggregate(at=Min("due_at"))["at"]
    left = Delivery.objects.filter(state=State.SENDING).aggregate(at=Min("lease_ends"))["at"]
    return min(filter(None, (due, left)), default=None)


def _begin_or_prolong(outage: Outage | None, problem: str) -> dt.datetime:
    tries = outage.tries + 1 if outage else 1
    until: dt.datetime = clock.now() + min(LONGEST_OUTAGE, FIRST_OUTAGE * 2 ** min(tries - 1, 10))
    if outage:
        Outage.objects.filter(pk=outage.pk).update(tries=tries, until=until, problem=problem)
    else:
        Outage.objects.create(until=until, problem=problem)
        log.error("No mail goes out: %s. What is queued waits and is tried again.", problem)
    return until


def _end(outage: Outage) -> None:
    log.info("Mail goes out again, after %s.", clock.now() - outage.since)
    outage.delete()
