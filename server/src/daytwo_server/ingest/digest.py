"""From spooled records to visible events, in batches.

A batch is written in two steps: bodies into `telemetry`, then one transaction on `default` with everything else and
the cursor. A crash anywhere leaves the cursor behind the batch, which is then read again;
`errors.services.store_bodies` tells a replay from a duplicate. Nothing here reports to Sentry: an error about an error
would feed itself.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import close_old_connections, transaction

import daytwo
from daytwo_server.catalog import services as catalog
from daytwo_server.core import clock, preferences, secret, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.core.trouble import is_trouble, words
from daytwo_server.customers import services as customers
from daytwo_server.customers.identity import key_of
from daytwo_server.customers.selectors import user_key
from daytwo_server.errors import services as errors
from daytwo_server.errors.prepare import Arrival, Prepared, Unreadable, prepare
from daytwo_server.ingest.models import Cursor
from daytwo_server.ingest.quarantine import Quarantine
from daytwo_server.ingest.spool import CountRow, Counts, Envelope, Position, Reader, Record
from daytwo_server.ingest.spool.record import START
from daytwo_server.ingest.status import DigestStatus

log = daytwo.get_logger("daytwo.digest")

BATCH_RECORDS = 300
BATCH_BYTES = 4 * 1024 * 1024
IDLE_S = 0.05
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
CountKey = tuple[int, str, str, str, str]  # project, item type, SDK, outcome, reason


class LostCursor(Exception):
    """Another digest moved this spool's cursor."""


@dataclass
class Batch:
    """What one pass over the spool holds. `counts` gathers outcomes by hour and `CountKey`, `uses` those of keys."""

    arrivals: list[Arrival] = field(default_factory=list)
    counts: Counter[tuple[dt.datetime, CountKey]] = field(default_factory=Counter)
    uses: Counter[tuple[str, int, bool]] = field(default_factory=Counter)

    def count(self, arrival: Arrival, outcome: str, reason: str = "", n: int = 1) -> None:
        self.counts[_hour(arrival.received), (arrival.project, "event", arrival.sdk, outcome, reason)] += n


class Digester:
    """Digests one spool. `run_once` does one batch; `run` goes on until told to stop."""

    def __init__(self, reader: Reader, *, node: str, folder: Path) -> None:
        self._reader = reader
        self._node = node
        self._quarantine = Quarantine(folder / "quarantine")
        self._quarantined = deque(self._quarantine.positions())  # to be tried again: this may be a later version
        self._status = DigestStatus(folder / "digest.json")
        self._position: Position | None = None

    def run(self, stopped: Callable[[], bool]) -> None:
        """Digest until `stopped()`. What is in the way of all records is told and tried again, at least every 5 s."""
        pause_s = SHORTEST_PAUSE_S
        while not stopped():
            try:
                busy = self.run_once() or self._retry_one()
            except Exception as problem:
                if not self._passes(problem):
                    raise
                log.error("the digest waits", reason=_words(problem), pause_s=pause_s)
                self._status.failed(_words(problem))
                _sleep(pause_s, stopped)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                continue
            pause_s = SHORTEST_PAUSE_S
            if not busy:
                self._status.idle()
                self._reader.wait(IDLE_S)

    def _passes(self, problem: Exception) -> bool:
        """Whether to wait for the end of this trouble. Makes ready to go on after it."""
        if isinstance(problem, LostCursor):
            return True  # from the position we know: going on from another's would pass over records of ours
        close_old_connections()
        self._position = None
        # Where the spool itself is gone, its locks are too: only a new process gets hold of a new one.
        return is_trouble(problem) or (isinstance(problem, OSError) and self._reader.directory.exists())

    def run_once(self) -> int:
        """Digest what waits, at most one batch. Returns the number of records; 0 when there was nothing."""
        after = self._where()
        records = self._reader.read(after, max_records=BATCH_RECORDS, max_bytes=BATCH_BYTES)
        if records:
            self._take(records, lost=self._reader.lost)
            self._status.succeeded()
        self._reader.unlink_through(self._where())
        return len(records)

    def _take(self, records: Sequence[Record], *, lost: int) -> None:
        """Digest the records. Those that break the code go to quarantine, found by halving: they delay others little.

        `lost` records before these were damaged.
        """
        move = (self._where(), records[-1].position)
        try:
            self._digest(_sort(records, lost=lost), move=move)
        except Exception as problem:
            if is_trouble(problem) or isinstance(problem, LostCursor):
                raise
            if len(records) == 1:
                log.error("a record goes to quarantine", problem, position=str(records[0].position))
                self._quarantine.keep(records[0], problem)
                self._digest(_given_up(records[0], lost=lost), move=move)
                return
            log.error("a batch failed and is digested in parts", problem, records=len(records))
            middle = len(records) // 2
            self._take(records[:middle], lost=lost)
            self._take(records[middle:], lost=0)

    def retry_quarantine(self) -> None:
        """Try again, once, everything that could not be digested when this digest began."""
        while self._retry_one():
            pass

    def _retry_one(self) -> bool:
        """Try the next quarantined record. False when there is none left to try."""
        if not self._quarantined:
            return False
        record = self._quarantine.load(self._quarantined[0])
        if record is not None:
            self._retry(record)
        self._quarantined.popleft()
        return True

    def _retry(self, record: Record) -> None:
        batch = _sort([record])
        for arrival in batch.arrivals:
            batch.count(arrival, "dropped", "digest_failed", -1)  # it was counted as lost when it was given up
        try:
            self._digest(batch, move=None)
        except Exception as problem:
            if is_trouble(problem):
                raise
            log.warning("a record stays in quarantine", position=str(record.position), reason=str(problem))
        else:
            self._quarantine.release(record)

    def _digest(self, batch: Batch, *, move: tuple[Position, Position] | None) -> None:
        """Store one batch and move the cursor from one position to another with it."""
        prepared = self._prepare(batch)
        kept = errors.store_bodies(prepared)
        kept_ids = {id(event) for event in kept}
        for event in prepared:
            if id(event) not in kept_ids:
                batch.count(event.arrival, "dropped", "duplicate")
        with transaction.atomic(using=DEFAULT):
            fresh = self._store(kept, batch)
            if move:
                self._move_cursor(*move)
            errors.announce(fresh)
        if move:
            self._position = move[1]

    def _prepare(self, batch: Batch) -> list[Prepared]:
        prepared, settings = [], preferences.current()
        for arrival in batch.arrivals:
            try:
                event = prepare(arrival, scrubbing=settings.scrub, scrub_keys=settings.scrub_keys)
            except Unreadable as problem:
                log.warning("an event could not be read", reason=str(problem), project=arrival.project)
                batch.count(arrival, "dropped", "unreadable")
            else:
                event.user_key = user_key(event.user, arrival.client_ip)
                prepared.append(event)
        return prepared

    def _store(self, events: Sequence[Prepared], batch: Batch) -> list[Prepared]:
        """Everything but the cursor; returns the events that were new.

        Rows are taken in one order (customers, issues and what hangs on them, releases, keys, counts), each sorted, so
        that two digesters wait for each other and never for themselves.
        """
        known = customers.see(sighting for event in events if (sighting := _sighting(event)))
        for event in events:
            event.customer = known.get(key_of(event.user) or "")
        fresh = errors.absorb(events)
        catalog.see([_told(event) for event in fresh])
        for event in fresh:
            batch.count(event.arrival, "stored")
        if batch.uses:
            catalog.note_uses(batch.uses)
        _add_counts(batch.counts)
        return fresh

    def _where(self) -> Position:
        """The digested position, from the database at first and after every trouble."""
        if self._position is None:
            cursor, _ = Cursor.objects.get_or_create(
                node=self._node,
                defaults={"segment": START.segment, "sequence": START.sequence, "moved_at": clock.now()},
            )
            self._position = Position(cursor.segment, cursor.sequence)
        return self._position

    def _move_cursor(self, before: Position, after: Position) -> None:
        moved = Cursor.objects.filter(node=self._node, segment=before.segment, sequence=before.sequence).update(
            segment=after.segment, sequence=after.sequence, moved_at=clock.now()
        )
        if not moved:
            raise LostCursor(
                "another Daytwo digests under the name of this spool; was the data directory copied? Stop this one, "
                "remove the file spool/node from its data directory, and start it again"
            )


def node_of(folder: Path) -> str:
    """The name under which this spool's cursor is kept; made once per spool directory."""
    path = folder / "node"
    return secret.load_or_create(path)[:32] if not path.exists() else path.read_text().strip()[:32]


def _words(problem: Exception) -> str:
    return f"the data directory cannot be used: {problem.strerror}" if isinstance(problem, OSError) else words(problem)


def _sleep(seconds: float, stopped: Callable[[], bool]) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not stopped():
        time.sleep(SHORTEST_PAUSE_S)


def _sort(records: Sequence[Record], *, lost: int = 0) -> Batch:
    """The records by what is to be done with them; `lost` more were damaged, and what was in them nobody knows."""
    batch = Batch()
    if lost:
        batch.counts[_hour(time.time()), (0, "request", "", "dropped", "damaged")] = lost
    for record in records:
        if isinstance(record.content, Counts):
            for row in record.content.rows:
                _count_row(batch, row)
            for use in record.content.uses:
                batch.uses[use.key, use.minute, use.let_in] += use.n
        else:
            batch.arrivals.extend(_arrivals(record.position, record.content))
    return batch


def _given_up(record: Record, *, lost: int) -> Batch:
    """No events, but a count of those that the record held."""
    batch = _sort([], lost=lost)
    if isinstance(record.content, Envelope):
        for arrival in _arrivals(record.position, record.content):
            batch.count(arrival, "dropped", "digest_failed")
    return batch


def _count_row(batch: Batch, row: CountRow) -> None:
    key = (row.project, row.item, row.sdk, row.outcome, row.reason)
    batch.counts[_hour(row.minute), key] += row.n


def _arrivals(position: Position, envelope: Envelope) -> list[Arrival]:
    return [
        Arrival(
            project=envelope.project,
            segment=position.segment,
            sequence=position.sequence,
            received=envelope.received,
            sent_at=envelope.sent_at,
            event_id=envelope.event_id,
            client_ip=envelope.client_ip,
            sdk=envelope.sdk,
            payload=payload,
        )
        for item_type, payload in envelope.items
        if item_type == "event"
    ]


def _told(event: Prepared) -> catalog.Sighting:
    return catalog.Sighting(
        project=event.arrival.project, at=event.timestamp, environment=event.environment, release=event.release
    )


def _sighting(event: Prepared) -> customers.Sighting | None:
    key = key_of(event.user)
    if key is None:
        return None
    name = event.user.get("name") or event.user.get("username")
    return customers.Sighting(
        key=key, project=event.arrival.project, at=event.timestamp, email=event.user.get("email"), name=name
    )


def _add_counts(counts: Counter[tuple[dt.datetime, CountKey]]) -> None:
    sql.insert(
        DEFAULT,
        "ingest_itemcount",
        ("hour", "project_id", "item_type", "sdk", "outcome", "reason", "count"),
        [(hour, *key, n) for (hour, key), n in sorted(counts.items())],
        on_conflict="(hour, project_id, item_type, sdk, outcome, reason) DO UPDATE "
        "SET count = ingest_itemcount.count + excluded.count",
    )


def _hour(unix_s: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(unix_s // 3600 * 3600, dt.UTC)
