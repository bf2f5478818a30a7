"""What mail leaves to be done later."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from django.db import transaction

from daytwo_server.core import clock, conf, jobs
from daytwo_server.core.models import Job
from daytwo_server.mail import intake
from daytwo_server.mail.letter import Envelope
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.mail.sending.drain import WAITING, drain

# Then the thread is somebody else's for a moment: there are few, and pages' reactions wait for one too.
TURN_S = 5.0
SEND_KEY, READ_KEY = "mail.send", "mail.read"


@transaction.atomic
def take(mails: Sequence[tuple[bytes, Envelope]]) -> list[int]:
    """Store mails, together with the job that reads them; returns their ids."""
    kept = intake.store(mails)
    read_soon()
    return kept


@jobs.job("mail.send")
def send(key: str = SEND_KEY) -> None:
    """Send the mails that are due. One job does it for all: they keep their order and share a connection."""
    again_at = drain(for_s=TURN_S)
    if again_at is not None:
        jobs.enqueue(send, unique_key=key, run_at=again_at, key=key)


@jobs.job("mail.read")
def read(key: str = READ_KEY) -> None:
    """Read the mails that were stored, in the order in which they came."""
    if intake.process_waiting(for_s=TURN_S):
        read_soon(key)


def read_soon(key: str = READ_KEY) -> None:
    """Before what follows from the mails that were read: a thousand of them leave thousands of jobs behind."""
    jobs.enqueue(read, unique_key=key, key=key, priority=Job.Priority.URGENT)


def begin() -> None:
    """At the start of a process that runs jobs: see to what waits now.

    The job of a predecessor that was killed is free a minute later, when its lease ends, so these have a key of their
    own. Two at once do no harm: each mail and each delivery is claimed, or concluded, once.
    """
    own = secrets.token_hex(4)
    if _to_send():
        jobs.enqueue(send, unique_key=f"{SEND_KEY}.{own}", key=f"{SEND_KEY}.{own}")
    if _to_read():
        read_soon(f"{READ_KEY}.{own}")
    if conf.current().imap_url:
        from daytwo_server.mail import idling  # only where there is a mailbox

        idling.watch()


def _to_send() -> bool:
    return Delivery.objects.filter(state__in=WAITING, due_at__lte=clock.now()).exists()


def _to_read() -> bool:
    return InboundMail.objects.filter(state=InboundMail.State.RECEIVED).exists()


@jobs.periodic(dt.timedelta(minutes=1))
@jobs.job("mail.sweep")
def sweep() -> None:
    """See to it that no mail waits for a job that nobody enqueued."""
    if _to_send():
        jobs.enqueue(send, unique_key=SEND_KEY)
    if _to_read():
        read_soon()


@jobs.periodic(dt.timedelta(minutes=1))
@jobs.job("mail.poll", max_attempts=1)
def poll() -> None:
    """Take what is new in the mailbox of DAYTWO_IMAP_URL."""
    if conf.current().imap_url:
        from daytwo_server.mail import mailbox  # only where there is one

        mailbox.poll()
