"""core's own periodic job: what is old goes."""

import datetime as dt

from daytwo_server.core import clock
from daytwo_server.core.db import chunked_delete
from daytwo_server.core.jobs.registry import job, periodic
from daytwo_server.core.models import Topic

TOPICS_KEPT = dt.timedelta(days=7)


@periodic("23 3 * * *")
@job("core.prune")
def prune() -> None:
    """Remove topics that nothing changed for a week. What is kept for a time that people choose: `core.retention`."""
    quiet_since_us = int((clock.now() - TOPICS_KEPT).timestamp() * 1_000_000)
    chunked_delete(Topic.objects.filter(version__lt=quiet_since_us))
