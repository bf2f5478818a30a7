"""What of the spool is in a backup: all that is not counted yet, and no number twice."""

import asyncio
import time

import pytest

from daytwo_server.ingest.backup import SpoolPart
from daytwo_server.ingest.quarantine import Quarantine
from daytwo_server.ingest.spool import Counts, Position, Reader, Record, Writer
from daytwo_server.ingest.spool.record import START

part = SpoolPart()


@pytest.fixture
def live(tmp_path):
    folder = tmp_path / "live"
    folder.mkdir()
    (folder / "node").write_text("this-node")
    return folder


@pytest.fixture
def staged(tmp_path):
    folder = tmp_path / "staged"
    folder.mkdir()
    return folder


def write(live, number, *, clock=time.time):
    """Records, each in a segment of its own; the positions."""

    async def submit():
        writer = Writer(live, segment_bytes=1, clock=clock)
        found = [await writer.submit(Counts([])) for _ in range(number)]
        await asyncio.to_thread(writer.close)
        return found

    return asyncio.run(submit())


def ask(position):
    return lambda _sql: [("another-node", 2**60, 7), ("this-node", *position)]


def positions(folder, after=START):
    reader = Reader(folder)
    try:
        return [record.position for record in reader.read(after)]
    finally:
        reader.close()


def test_what_is_digested_and_removed_while_the_backup_is_made_is_in_it_when_it_was_not_counted_yet(live, staged):
    written = write(live, 5)
    part.before(live, staged)
    for path in live.glob("*.seg"):
        path.unlink()  # digested, after the moment of the store
    part.after(live, staged, ask(written[1]))
    assert positions(staged, written[1]) == written[2:]


def test_what_came_between_the_two_looks_is_in_it(live, staged):
    first = write(live, 2)
    part.before(live, staged)
    second = write(live, 2)
    part.after(live, staged, ask(START))
    assert positions(staged) == first + second


def test_what_is_counted_already_is_left_out(live, staged):
    written = write(live, 4)
    part.before(live, staged)
    part.after(live, staged, ask(written[3]))
    assert positions(staged, written[3]) == []
    assert min(positions(staged)) >= Position(written[3].segment, 0)


def test_half_a_record_at_the_end_is_left_out_and_the_live_file_is_not_touched(live, staged):
    written = write(live, 3)
    newest = max(live.glob("*.seg"))
    newest.write_bytes(min(live.glob("*.seg")).read_bytes()[:-3])  # being written at this moment
    part.before(live, staged)
    part.after(live, staged, ask(START))
    reader = Reader(staged)
    assert [record.position for record in reader.read(START)] == written
    reader.read(written[-1])
    assert reader.corrupt_bytes == 0
    reader.close()
    assert newest.stat().st_size > 0


def test_after_a_restore_no_number_is_used_again_whatever_the_clock_says(live, staged):
    in_2030 = write(live, 2, clock=lambda: 1_900_000_000.0)
    part.before(live, staged)
    part.after(live, staged, ask(in_2030[-1]))
    again = write(staged, 2)
    assert min(again) > max(in_2030)


def test_the_newest_segment_is_no_link_so_that_the_writer_notices_when_it_is_deleted(live, staged):
    write(live, 3)
    part.before(live, staged)
    *sealed, newest = sorted(live.glob("*.seg"))
    assert newest.stat().st_nlink == 1
    assert all(path.stat().st_nlink == 2 for path in sealed)


def test_a_quarantined_record_is_in_it_once(live, staged):
    quarantine = Quarantine(live / "quarantine")
    passed, released, ahead = Position(1, 0), Position(1, 1), Position(9, 0)
    for position in (passed, released):
        quarantine.keep(Record(position, Counts([])), ValueError("broken"))
    part.before(live, staged)
    quarantine.release(Record(released, Counts([])))  # tried again, after the moment of the store
    quarantine.keep(Record(ahead, Counts([])), ValueError("broken"))  # the spool has it too
    part.after(live, staged, ask(Position(2, 0)))
    kept = Quarantine(staged / "quarantine")
    assert kept.positions() == [passed, released]
    assert kept.load(passed) is not None


def test_who_holds_the_spool_is_named(live, staged):
    assert part.is_held(live) == ""
    assert part.is_held(live / "missing") == ""
    reader = Reader(live)
    assert "process" in part.is_held(live)
    reader.close()
    assert part.is_held(live) == ""


def test_a_data_directory_without_a_spool_has_an_empty_one(tmp_path, staged):
    part.before(tmp_path / "missing", staged)
    part.after(tmp_path / "missing", staged, lambda _sql: [])
    assert part.count(staged, lambda _sql: []) == {"records waiting": 0, "records in quarantine": 0}
