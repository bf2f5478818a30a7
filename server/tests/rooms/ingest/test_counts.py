"""Nothing is dropped silently: every item is counted, durably, exactly once."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx
from intake import EVENT, KEY, PROJECT, Intake, envelope

from daytwo_server.ingest.counts import ItemCounts
from daytwo_server.ingest.models import ItemCount
from daytwo_server.ingest.spool import START, Counts, Reader, Writer


def rows(spool: Path) -> list[Counts]:
    reader = Reader(spool)
    found = [record.content for record in reader.read(START)]
    reader.close()
    assert all(isinstance(content, Counts) for content in found)
    return found


def test_counts_reach_the_spool_by_themselves_and_once(intake: Intake):
    header = {"sdk": {"name": "sentry.python", "version": "2.75.0"}}
    intake.post(envelope(("event", EVENT), ("session", b"{}"), header=header))
    intake.post(b"", headers={})
    deadline = time.monotonic() + 5
    while not intake.counted() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert intake.counted()
    intake.stop()
    project = str(PROJECT)
    assert intake.counted() == {
        (project, "event", "sentry.python/2.75.0", "arrived", ""): 1,
        (project, "session", "sentry.python/2.75.0", "arrived", ""): 1,
        (project, "session", "sentry.python/2.75.0", "dropped", "not_stored_yet"): 1,
        ("0", "request", f"python-httpx/{httpx.__version__}", "dropped", "malformed"): 1,
    }


def test_rows_are_sums_in_minutes(spool: Path):
    now = [600.0]
    writer = Writer(spool)
    counts = ItemCounts(clock=lambda: now[0])

    async def main() -> None:
        for second in (600, 659.9, 660):
            now[0] = second
            counts.arrived(7, "event", "sdk/1")
        counts.dropped(7, "event", "sdk/1", "too_large", 3)
        assert await counts.flush(writer)
        assert await counts.flush(writer)

    asyncio.run(main())
    writer.close()
    [content] = rows(spool)
    assert [(row.minute, row.project, row.item, row.outcome, row.reason, row.n) for row in content.rows] == [
        (600, 7, "event", "arrived", "", 2),
        (660, 7, "event", "arrived", "", 1),
        (660, 7, "event", "dropped", "too_large", 3),
    ]
    assert counts.totals() == {("event", "arrived", ""): 3, ("event", "dropped", "too_large"): 3}


def test_counts_that_cannot_be_written_stay_and_go_with_the_next_flush(spool: Path):
    counts = ItemCounts()
    closed = Writer(spool)
    closed.close()

    async def main() -> None:
        counts.arrived(1, "event", "")
        assert not await counts.flush(closed)
        counts.arrived(1, "event", "")
        writer = Writer(spool)
        assert await counts.flush(writer)
        writer.close()

    asyncio.run(main())
    assert [row.n for content in rows(spool) for row in content.rows] == [2]


def test_names_from_the_wire_cannot_fill_the_memory(spool: Path):
    counts = ItemCounts(clock=lambda: 10_000.0)
    for n in range(3000):
        counts.arrived(1, f"type-{n}", f"sdk/{n}")
    assert len(counts.totals()) == 51
    assert counts.totals()["other", "arrived", ""] == 2950
    assert len({row[3] for row in counts._rows}) == 501


def test_names_from_the_wire_fit_the_columns_they_are_counted_in(intake: Intake):
    """PostgreSQL refuses what is longer, and every count of the same second with it."""
    intake.post(
        envelope(("event", EVENT), ("x" * 64, b"{}"), header={"sdk": {"name": "n" * 300, "version": "v" * 300}})
    )
    intake.stop()
    columns = ("project_id", "item_type", "sdk", "outcome", "reason")
    longest = [ItemCount._meta.get_field(name).max_length or 20 for name in columns]
    counted = intake.counted()
    assert len(counted) >= 2
    for row in counted:
        assert all(len(value) <= limit for value, limit in zip(row, longest, strict=True)), row


def test_an_sdk_name_is_bounded_and_plain(intake: Intake):
    header = {"sdk": {"name": "evil\n<script>\u00e9" * 50, "version": "1"}}
    intake.post(envelope(("event", EVENT), header=header))
    [stored] = intake.envelopes()
    assert stored.sdk == ("evil__script__" * 50)[:64]


def test_an_sdk_that_is_no_object_is_passed_over(intake: Intake):
    for sdk in ("text", [], {"name": 7}, {"version": "1"}, None):
        body = envelope(("event", EVENT), header=json.loads(json.dumps({"sdk": sdk})))
        assert (
            intake.post(body, headers={"X-Sentry-Auth": f"Sentry sentry_key={KEY}, sentry_client=a/1"}).status_code
            == 200
        )
    assert {stored.sdk for stored in intake.envelopes()} == {"a/1"}
