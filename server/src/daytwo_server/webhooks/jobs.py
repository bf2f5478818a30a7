"""What webhooks leave to be done later."""

from __future__ import annotations

import datetime as dt

from daytwo_server.core import clock, jobs
from daytwo_server.core.db import delete_some
from daytwo_server.webhooks.models import Call
from daytwo_server.webhooks.sending import drain
from daytwo_server.webhooks.services import SEND_KEY, send_soon

TURN_S = 5.0  # then the thread is somebody else's for a moment
KEPT = dt.timedelta(days=14)
CHUNK = 1000


@jobs.job("webhooks.send")
def send() -> None:
    """Call what is due, in the order in which it fell due."""
    again_at = drain(for_s=TURN_S)
    if again_at is not None:
        jobs.enqueue(send, unique_key=SEND_KEY, run_at=again_at)


@jobs.periodic(dt.timedelta(minutes=1))
@jobs.job("webhooks.sweep")
def sweep() -> None:
    """See to it that no call waits for a job that nobody enqueued, and forget those that ended long ago."""
    if Call.objects.filter(state=Call.State.WAITING, due_at__lte=clock.now()).exists():
        send_soon()
    while delete_some(Call, "ended_at < %s", [clock.now() - KEPT], limit=CHUNK):
        pass
