"""core's own periodic job: what is old goes."""

import datetime as dt

from daytwo_server.core import clock
from daytwo_server.core.db import chunked_delete
from daytwo_server.core.jobs.registry import job, periodic
from daytwo_server.core.models import Fact, Topic

FACTS_KEPT = dt.timedelta(days=90)
TOPICS_KEPT = dt.timedelta(days=7)


@periodic("23 3 * * *")
@job("core.prune")
def prune() -> None:
    """Remove facts after 90 days and topics that nothing changed for a week.

    A dead reaction that is older than its fact's 90 days can no longer be retried, only discarded.
    """
    now = clock.now()
    chunked_delete(Fact.objects.filter(at__lt=now - FACTS_KEPT))
    quiet_since_us = int((now - TOPICS_KEPT).timestamp() * 1_000_000)
    chunked_delete(Topic.objects.filter(version__lt=quiet_since_us))
