"""What the desk does by the clock: bring the search index up to date, and throw away what nobody will miss."""

from __future__ import annotations

import datetime as dt
import time

from django.db import transaction

from daytwo_server.core import clock, jobs, search
from daytwo_server.core.db import chunked_delete
from daytwo_server.desk.models import Draft, Indexed, SavedView

CHUNK = 500
PAUSE_S = 0.05
SENT_KEPT = dt.timedelta(days=1)
DRAFTS_KEPT = dt.timedelta(days=180)
VIEWS_KEPT = dt.timedelta(days=1)


@jobs.periodic(dt.timedelta(minutes=5))
@jobs.job("desk.find_unindexed")
def find_unindexed() -> None:
    """Have every kind indexed whose source is newer than its index: after an upgrade, and once at first."""
    done = dict(Indexed.objects.values_list("kind", "version"))
    for kind, source in search.sources().items():
        if done.get(kind) != source.version:
            jobs.enqueue(reindex, kind=kind, unique_key=f"desk.reindex:{kind}")


@jobs.job("desk.reindex")
def reindex(kind: str) -> None:
    """Index all objects of a kind, a short transaction for each 500. A job that was killed goes on where it was."""
    source = search.sources().get(kind)
    if source is None:  # enqueued by a version that knew it
        return
    state, _ = Indexed.objects.get_or_create(kind=kind)
    if state.version == source.version:  # enqueued while it ran
        return
    after: int | None = state.after if state.goal == source.version else 0
    while after is not None:
        with transaction.atomic():
            after = search.rebuild(kind, after, CHUNK)
            Indexed.objects.filter(kind=kind).update(goal=source.version, after=after or 0)
        time.sleep(PAUSE_S)  # SQLite has one writer, and it is not this one that matters
    Indexed.objects.filter(kind=kind).update(version=source.version)


@jobs.periodic("41 3 * * *")
@jobs.job("desk.prune")
def prune() -> None:
    """Remove drafts a day after they were sent or half a year after the last word, and deleted views after a day."""
    now = clock.now()
    chunked_delete(Draft.objects.filter(text="", updated_at__lt=now - SENT_KEPT))
    chunked_delete(Draft.objects.filter(updated_at__lt=now - DRAFTS_KEPT))
    chunked_delete(SavedView.objects.filter(deleted_at__lt=now - VIEWS_KEPT))
