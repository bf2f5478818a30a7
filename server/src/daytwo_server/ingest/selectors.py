"""What arrived, what became of it, and how intake and digest are doing now."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.db.models import Q, QuerySet, Sum

from daytwo_server.catalog.models import Project
from daytwo_server.core.conf import Conf
from daytwo_server.ingest import envelope, status
from daytwo_server.ingest.limits import MIB
from daytwo_server.ingest.models import Cursor, ItemCount
from daytwo_server.ingest.quarantine import Quarantine
from daytwo_server.ingest.spool import segments

NOT_STORED_YET = envelope.NOT_STORED_YET
# Reasons why nothing is missing although something was dropped.
NO_LOSS = frozenset({NOT_STORED_YET, "duplicate"})
_PROBE_BYTES = 64 * 1024  # more than most events have


@dataclass(frozen=True)
class Row:
    """Items of one kind with one fate. `project` is the slug, empty when no valid key was given."""

    project: str
    item_type: str
    sdk: str
    outcome: str
    reason: str
    count: int


@dataclass(frozen=True)
class IngestState:
    """Now. `refusing` says in words why intake answers 429, empty when it does not; `lag_s` is the age of the oldest
    record that is not digested.
    """

    spool_bytes: int
    spool_segments: int
    lag_s: float
    free_disk_bytes: int
    refusing: str
    digest_error: str
    digested_at: dt.datetime | None
    quarantined: int


@dataclass(frozen=True)
class Hour:
    """What became of the items of one hour, or of a day that is counted as one.

    `lost` could have been stored; `let_go` are those of kinds that are not stored, and those that came twice.
    """

    at: dt.datetime
    arrived: int
    stored: int
    let_go: int
    lost: int


def totals(since: dt.datetime, *, project: int | None = None) -> list[Row]:
    """Sums since an hour, largest first; of all projects when none is given."""
    slugs = dict(Project.objects.values_list("pk", "slug"))
    fields = ("project_id", "item_type", "sdk", "outcome", "reason")
    rows = _counts(since, project).values_list(*fields).annotate(n=Sum("count")).order_by("-n")
    return [Row(slugs.get(number, ""), *rest) for number, *rest in rows]


def hours(since: dt.datetime, *, project: int | None = None) -> list[Hour]:
    """The course of things; an hour in which nothing came is left out."""
    let_go = Q(outcome="dropped", reason__in=NO_LOSS)
    sums = {
        "arrived": Sum("count", filter=Q(outcome="arrived"), default=0),
        "stored": Sum("count", filter=Q(outcome="stored"), default=0),
        "let_go": Sum("count", filter=let_go, default=0),
        "lost": Sum("count", filter=Q(outcome="dropped") & ~Q(reason__in=NO_LOSS), default=0),
    }
    # By the hour alone, which is the order of the index: grouping by the outcome too would sort every row.
    rows = _counts(since, project).values_list("hour").annotate(**sums).order_by("hour")
    return [Hour(*row) for row in rows]


def _counts(since: dt.datetime, project: int | None) -> QuerySet[ItemCount]:
    found = ItemCount.objects.filter(hour__gte=since)
    return found if project is None else found.filter(project_id=project)


def state(conf: Conf) -> IngestState:
    """Looks at the spool directory, the disk and what the digest last said: right in any process on this machine."""
    spool = conf.data_dir / "spool"
    told = status.read(spool / "digest.json")
    waiting = _undigested(spool)
    free = shutil.disk_usage(conf.data_dir).free
    size = sum(segment.bytes for segment in waiting)
    return IngestState(
        spool_bytes=size,
        spool_segments=len(waiting),
        lag_s=max(0.0, time.time() - min(segment.began for segment in waiting)) if waiting else 0.0,
        free_disk_bytes=free,
        refusing=_refusing(conf, size, free) or _unwritable(spool),
        digest_error=told.error,
        digested_at=dt.datetime.fromtimestamp(told.succeeded_at, dt.UTC) if told.succeeded_at else None,
        quarantined=Quarantine(spool / "quarantine").size(),
    )


def digest_error(conf: Conf) -> str:
    """What keeps the digest from writing, as `state` has it, without asking the database, which may be just that."""
    return status.read(conf.data_dir / "spool" / "digest.json").error


def digested_segment(spool: Path) -> int:
    """The segment this spool's cursor stands in, 0 for a new spool: no later segment may have a lower number."""
    cursor = Cursor.objects.filter(node=_node(spool)).first()
    return cursor.segment if cursor else 0


class _Waiting(NamedTuple):
    """A segment with something in it that is not digested. `began` is unix seconds."""

    began: float
    bytes: int


def _undigested(spool: Path) -> list[_Waiting]:
    """The segments that hold something the cursor has not passed.

    The one it stands in counts unless it is the newest: once read to its end, a sealed segment is removed.
    """
    cursor = Cursor.objects.filter(node=_node(spool)).first()
    numbers = segments.numbers(spool) if spool.exists() else []
    digested = cursor.segment if cursor else 0
    behind = [n for n in numbers if n > digested or (n == digested and n != numbers[-1])]
    found = (_look_at(segments.path_of(spool, number), number) for number in behind)
    return [segment for segment in found if segment.bytes]


def _look_at(path: Path, number: int) -> _Waiting:
    try:
        stat = path.stat()
    except FileNotFoundError:  # digested and removed meanwhile
        return _Waiting(0, 0)
    # The number is the time in ms at which the segment was begun, unless the clock was set back since.
    return _Waiting(min(number / 1000, stat.st_mtime), stat.st_size)


def _node(spool: Path) -> str:
    path = spool / "node"
    return path.read_text().strip()[:32] if path.exists() else ""


def _refusing(conf: Conf, spool_bytes: int, free_bytes: int) -> str:
    if free_bytes < conf.min_free_disk_mb * MIB:
        return f"free disk {free_bytes // MIB} MB is under the minimum of {conf.min_free_disk_mb} MB"
    if spool_bytes > conf.spool_max_mb * MIB:
        return f"the spool holds {spool_bytes // MIB} MB, more than the {conf.spool_max_mb} MB allowed"
    return ""


def _unwritable(spool: Path) -> str:
    """Why the spool cannot be written, found out by writing; "" when it can."""
    try:
        with tempfile.TemporaryFile(dir=spool) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
    except FileNotFoundError:  # no server ran here yet; a running one makes it again
        return ""
    except OSError as problem:
        return f"the spool cannot be written: {problem.strerror}"
    return ""


def damaged(since: dt.datetime) -> int:
    """How many accepted requests were lost because the spool was damaged on disk."""
    rows = ItemCount.objects.filter(hour__gte=since, outcome="dropped", reason="damaged")
    return rows.aggregate(n=Sum("count"))["n"] or 0
