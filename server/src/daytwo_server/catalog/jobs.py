"""The room's periodic job: counters that are old go."""

import datetime as dt

from daytwo_server.catalog.models import VOLUME_SLOT_S, KeyUse, NewNames, Volume
from daytwo_server.core import clock
from daytwo_server.core.db import chunked_delete
from daytwo_server.core.jobs import job, periodic

VOLUMES_KEPT = dt.timedelta(days=30)
USES_KEPT = dt.timedelta(days=14)
NEW_NAMES_KEPT = dt.timedelta(days=30)


@periodic("41 3 * * *")
@job("catalog.prune")
def prune() -> None:
    """Remove volumes after 30 days, uses of keys after 14, and counts of new names after 30."""
    now = clock.now()
    chunked_delete(Volume.objects.filter(slot__lt=int((now - VOLUMES_KEPT).timestamp()) // VOLUME_SLOT_S))
    chunked_delete(KeyUse.objects.filter(hour__lt=now - USES_KEPT))
    chunked_delete(NewNames.objects.filter(day__lt=(now - NEW_NAMES_KEPT).date()))
