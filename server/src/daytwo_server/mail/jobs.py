"""What mail leaves to be done later."""

from __future__ import annotations

import datetime as dt

from daytwo_server.core import clock, conf, jobs
from daytwo_server.mail import intake
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.mail.sending.drain import WAITING, drain

# Then the thread is somebody else's for a moment: there are few, and pages' reactions wait for one too.
TURN_S = 5.0
SEND_KEY, READ_KEY = "mail.send", "mail.read"


@jobs.job("mail.send")
def send() -> None:
    """Send the mails that are due. One job does it for all: they keep their order and share a connection."""
    again_at = drain(for_s=TURN_S)
    if again_at is not None:
        jobs.enqueue(send, unique_key=SEND_KEY, run_at=again_at)


@jobs.job("mail.read")
def read() -> None:
    """Read the mails that were stored, in the order in which they came."""
    if intake.process_waiting(for_s=TURN_S):
        jobs.enqueue(read, unique_key=READ_KEY)


@jobs.periodic(dt.timedelta(minutes=1))
@jobs.job("mail.sweep")
def sweep() -> None:
    """See to it that no mail waits for a job that nobody enqueued."""
    if Delivery.objects.filter(state__in=WAITING, due_at__lte=clock.now()).exists():
        jobs.enqueue(send, unique_key=SEND_KEY)
    if InboundMail.objects.filter(state=InboundMail.State.RECEIVED).exists():
        jobs.enqueue(read, unique_key=READ_KEY)


@jobs.periodic(dt.timedelta(minutes=1))
@jobs.job("mail.poll", max_attempts=1)
def poll() -> None:
    """Take what is new in the mailbox of DAYTWO_IMAP_URL."""
    if conf.current().imap_url:
        from daytwo_server.mail import mailbox  # only where there is one

        mailbox.poll()
