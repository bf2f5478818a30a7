"""From spooled records to visible events, in batches.

A batch is written in two steps: bodies into `telemetry`, then one transaction on `default` with everything else and
the cursor. A crash anywhere leaves the cursor behind the batch, which is then read again;
`errors.services.store_bodies` tells a replay from a duplicate. Nothing here reports to Sentry: an error about an error
would feed itself.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import InterfaceError, OperationalError, close_old_connections, transaction

import daytwo
from daytwo_server.catalog import services as catalog
from daytwo_server.core import clock, secret, sql
from daytwo_server.core.conf import Conf
from daytwo_server.core.stores import DEFAULT
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
CountKey = tuple[int, str, str, str, str]  # project, item type, SDK, outcome, reason


class LostCursor(Exception):
    """Another digest moved this spool's cursor: two of them run on one data directory."""


_TROUBLE = (OperationalError, InterfaceError, LostCursor)  # of the stores, not of what is digested


@dataclass
class Batch:
    """What one pass over the spool holds. `counts` gathers outcomes by hour and `CountKey`."""

    arrivals: list[Arrival] = field(default_factory=list)
    counts: Counter[tuple[dt.datetime, CountKey]] = field(default_factory=Counter)

    def count(self, arrival: Arrival, outcome: str, reason: str = "") -> None:
        self.counts[_hour(arrival.received), (arrival.project, "event", arrival.sdk, outcome, reason)] += 1


class Digester:
    """Digests one spool. `run_once` does one batch; `run` goes on until told to stop."""

    def __init__(self, reader: Reader, *, node: str, conf: Conf, folder: Path) -> None:
        self._reader = reader
        self._node = node
        self._conf = conf
        self._quarantine = Quarantine(folder / "quarantine")
        self._status = DigestStatus(folder / "digest.json")
        self._position: Position | None = None

    def run(self, stopped: Callable[[], bool]) -> None:
        """Digest until `stopped()`; a store that does not answer is asked again, with growing pauses up to 5 s."""
        pause_s = 0.1
        retried = False
        while not stopped():
            try:
                if not retried:
                    self.retry_quarantine()
                    retried = True
                done = self.run_once()
            except (OperationalError, InterfaceError) as problem:
                log.error("the digest waits for the database", problem)
                self._status.failed(str(problem))
                close_old_connections()
                self._position = None
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, 5.0)
                continue
            pause_s = 0.1
            if not done:
                self._reader.wait(0.05)

    def run_once(self) -> int:
        """Digest what waits, at most one batch. Returns the number of records; 0 when there was nothing."""
        after = self._where()
        records = self._reader.read(after, max_records=BATCH_RECORDS, max_bytes=BATCH_BYTES)
        if not records:
            self._reader.unlink_through(after)
            return 0
        try:
            self._digest(_sort(records), move=(after, records[-1].position))
        except _TROUBLE:
            raise
        except Exception as problem:  # noqa: BLE001 - one event that breaks the code must not stop all others
            log.error("a batch failed and is digested one by one", problem, records=len(records))
            self._one_by_one(records)
        self._status.succeeded()
        self._reader.unlink_through(self._where())
        return len(records)

    def retry_quarantine(self) -> None:
        """Try again what an earlier version could not digest."""
        for record in self._quarantine.records():
            try:
                self._digest(_sort([record]), move=None)
            except _TROUBLE:
                raise
            except Exception as problem:  # noqa: BLE001 - it stays where it is, and a person sees it
                log.warning("a record stays in quarantine", position=str(record.position), reason=str(problem))
            else:
                self._quarantine.release(record)

    def _one_by_one(self, records: Sequence[Record]) -> None:
        """Keep what can be kept: a record that fails alone goes to quarantine."""
        for record in records:
            move = (self._where(), record.position)
            try:
                self._digest(_sort([record]), move=move)
            except _TROUBLE:
                raise
            except Exception as problem:  # noqa: BLE001 - see run_once
                log.error("a record goes to quarantine", problem, position=str(record.position))
                self._quarantine.keep(record, problem)
                self._digest(_given_up(record), move=move)

    def _digest(self, batch: Batch, *, move: tuple[Position, Position] | None) -> None:
        """Store one batch and move the cursor from one position to another with it."""
        prepared = self._prepare(batch)
        kept = errors.store_bodies(prepared)
        for event in prepared:
            if event not in kept:
                batch.count(event.arrival, "dropped", "duplicate")
        with transaction.atomic(using=DEFAULT):
            self._store(kept, batch)
            if move:
                self._move_cursor(*move)
        if move:
            self._position = move[1]

    def _prepare(self, batch: Batch) -> list[Prepared]:
        prepared = []
        for arrival in batch.arrivals:
            try:
                event = prepare(arrival, scrubbing=self._conf.scrub, scrub_keys=self._conf.scrub_keys)
            except Unreadable as problem:
                log.warning("an event could not be read", reason=str(problem), project=arrival.project)
                batch.count(arrival, "dropped", "unreadable")
            else:
                event.user_key = user_key(event.user, arrival.client_ip)
                prepared.append(event)
        return prepared

    def _store(self, events: Sequence[Prepared], batch: Batch) -> None:
        known = customers.see(sighting for event in events if (sighting := _sighting(event)))
        for event in events:
            event.customer = known.get(key_of(event.user) or "")
        fresh = errors.absorb(events)
        catalog.see([_told(event) for event in fresh])
        for event in fresh:
            batch.count(event.arrival, "stored")
        _add_counts(batch.counts)

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
            raise LostCursor(f"The cursor of spool {self._node} is not at {before}: does another digest run?")


def node_of(folder: Path) -> str:
    """The name under which this spool's cursor is kept; made once per spool directory."""
    path = folder / "node"
    return secret.load_or_create(path)[:32] if not path.exists() else path.read_text().strip()[:32]


def _sort(records: Sequence[Record]) -> Batch:
    batch = Batch()
    for record in records:
        if isinstance(record.content, Counts):
            for row in record.content.rows:
                _count_row(batch, row)
        else:
            batch.arrivals.extend(_arrivals(record.position, record.content))
    return batch


def _given_up(record: Record) -> Batch:
    """No events, but a count of those that the record held."""
    batch = Batch()
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
        project=event.arrival.project, at=event.received, environment=event.environment, release=event.release
    )


def _sighting(event: Prepared) -> customers.Sighting | None:
    key = key_of(event.user)
    if key is None:
        return None
    name = event.user.get("name") or event.user.get("username")
    return customers.Sighting(
        key=key, project=event.arrival.project, at=event.received, email=event.user.get("email"), name=name
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
