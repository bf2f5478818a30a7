"""The spool: what was acknowledged can be read, in order, once; what is digested can be removed."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from daytwo_server.ingest.spool import (
    START,
    CountRow,
    Counts,
    Envelope,
    Position,
    Reader,
    Record,
    SpoolLocked,
    Writer,
)


def an_envelope(n: int = 0, payload: bytes = b"{}") -> Envelope:
    return Envelope(42, "k" * 32, 1.5, None, f"{n:032x}", "203.0.113.9", "test/1", [("event", payload)])


def write(writer: Writer, *contents: Envelope | Counts) -> list[Position]:
    async def main() -> list[Position]:
        return await asyncio.gather(*[writer.submit(content) for content in contents])

    return asyncio.run(main())


def read_all(reader: Reader, after: Position = START, **limits: int) -> list[Record]:
    found: list[Record] = []
    while records := reader.read(found[-1].position if found else after, **limits):
        found += records
    return found


def ids(records: list[Record]) -> list[int]:
    return [int(record.content.event_id, 16) for record in records]


def segment_files(spool: Path) -> list[Path]:
    return sorted(spool.glob("*.seg"))


def until(condition: Callable[[], object], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def writer(spool: Path):
    writer = Writer(spool, segment_age_ms=3_600_000)
    yield writer
    writer.close()


@pytest.fixture
def reader(spool: Path):
    reader = Reader(spool)
    yield reader
    reader.close()


def test_records_come_back_as_they_were_and_in_order(writer: Writer, reader: Reader):
    contents = [
        an_envelope(1, b"\x00\xff"),
        Counts([CountRow(60, 42, "event", "test/1", "dropped", "too_large", 3)]),
        Envelope(1, "", 0.0, 2.5, None, "", "", []),
        an_envelope(2, b"x" * 100_000),
        an_envelope(3, os.urandom(300_000)),
    ]
    positions = write(writer, *contents)
    records = read_all(reader)
    assert [record.content for record in records] == contents
    assert [record.position for record in records] == positions
    assert [position.sequence for position in positions] == [0, 1, 2, 3, 4]


def test_large_records_are_compressed_on_disk(writer: Writer, spool: Path):
    write(writer, an_envelope(1, b"x" * 200_000))
    assert sum(path.stat().st_size for path in segment_files(spool)) < 2000


def test_the_reader_goes_on_after_a_saved_position(writer: Writer, spool: Path):
    positions = write(writer, *[an_envelope(n) for n in range(20)])
    for start in (0, 7, 19):
        reader = Reader(spool)
        assert ids(read_all(reader, positions[start], max_records=3)) == list(range(start + 1, 20))
        reader.close()


def test_a_batch_is_bounded_by_records_and_by_bytes(writer: Writer, reader: Reader):
    write(writer, *[an_envelope(n, b'"' + os.urandom(1000).hex().encode() + b'"') for n in range(20)])
    assert ids(reader.read(START, max_records=5)) == [0, 1, 2, 3, 4]
    assert len(reader.read(START, max_bytes=5000)) == 3
    assert len(reader.read(START, max_bytes=1)) == 1
    assert ids(read_all(reader, max_bytes=1)) == list(range(20))


def test_a_reader_may_be_asked_for_any_position_again(writer: Writer, reader: Reader):
    positions = write(writer, *[an_envelope(n) for n in range(5)])
    assert ids(reader.read(positions[3])) == [4]
    assert ids(reader.read(positions[0])) == [1, 2, 3, 4]
    assert ids(reader.read(START)) == [0, 1, 2, 3, 4]


def test_what_is_written_later_is_read_later(writer: Writer, reader: Reader):
    assert reader.read(START) == []
    [first] = write(writer, an_envelope(1))
    assert ids(reader.read(START)) == [1]
    assert reader.read(first) == []
    write(writer, an_envelope(2))
    assert ids(reader.read(first)) == [2]


def test_waiting_ends_when_something_is_written(writer: Writer, reader: Reader):
    assert reader.wait(0)  # nothing was read yet
    reader.read(START)
    assert not reader.wait(0.05)
    threading.Timer(0.1, write, (writer, an_envelope(1))).start()
    started = time.monotonic()
    assert reader.wait(10)
    assert time.monotonic() - started < 5
    assert ids(reader.read(START)) == [1]


def test_waiting_does_not_end_at_once_while_a_batch_was_cut_short_by_its_limit(writer: Writer, reader: Reader):
    write(writer, an_envelope(1), an_envelope(2))
    [first] = reader.read(START, max_records=1)
    assert reader.wait(0)
    [second] = reader.read(first.position)
    assert reader.read(second.position) == []
    assert not reader.wait(0)


def test_a_pipe_wakes_the_reader(spool: Path):
    mine, theirs = os.pipe()
    os.set_blocking(theirs, False)
    writer = Writer(spool, on_commit=lambda: os.write(theirs, b"."))
    reader = Reader(spool, wake_fd=mine)
    reader.read(START)
    write(writer, an_envelope(1))
    assert reader.wait(5)
    assert ids(reader.read(START)) == [1]
    reader.close()
    writer.close()
    os.close(mine)
    os.close(theirs)


def test_a_segment_is_sealed_by_size_and_each_has_a_higher_number(spool: Path, reader: Reader):
    writer = Writer(spool, segment_bytes=2000, segment_age_ms=3_600_000)
    positions = [write(writer, an_envelope(n, os.urandom(700).hex().encode()))[0] for n in range(12)]
    writer.close()
    numbers = [position.segment for position in positions]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) >= 6
    assert ids(read_all(reader)) == list(range(12))


def test_an_old_segment_is_sealed_also_while_nothing_comes_and_an_empty_one_is_not(spool: Path, reader: Reader):
    writer = Writer(spool, segment_age_ms=50)
    [position] = write(writer, an_envelope(1))
    assert until(lambda: len(segment_files(spool)) == 2)
    time.sleep(0.6)
    assert len(segment_files(spool)) == 2
    assert ids(read_all(reader)) == [1]
    reader.read(position)
    assert reader.unlink_through(position) == 1
    [empty] = segment_files(spool)
    assert empty.stat().st_size == 0
    writer.close()


def test_nothing_that_was_not_passed_is_removed(spool: Path, reader: Reader):
    writer = Writer(spool, segment_bytes=1, segment_age_ms=3_600_000)
    positions = [write(writer, an_envelope(n))[0] for n in range(4)]
    records = read_all(reader)
    for done, left in ((0, [1, 2, 3]), (2, [3])):
        reader.unlink_through(positions[done])
        assert ids(read_all(reader, positions[done])) == left
    assert [record.position for record in records] == positions
    writer.close()
    assert ids(read_all(reader, positions[2])) == [3]
    reader.unlink_through(positions[2])
    assert ids(read_all(reader, positions[2])) == [3]


def test_reading_and_removing_beside_a_writer_that_seals_all_the_time_loses_nothing(spool: Path, reader: Reader):
    writer = Writer(spool, segment_bytes=1500)
    done = threading.Event()

    def write_many() -> None:
        for n in range(0, 1200, 4):
            write(writer, *[an_envelope(n + k) for k in range(4)])
        done.set()

    thread = threading.Thread(target=write_many)
    thread.start()
    position, seen = START, []
    while True:
        ended = done.is_set()
        records = reader.read(position, max_records=7)
        seen += ids(records)
        if records:
            position = records[-1].position
        reader.unlink_through(position)
        if ended and not records:
            break
    thread.join()
    writer.close()
    assert seen == list(range(1200))
    assert reader.corrupt_bytes == 0


def test_a_new_reader_removes_what_an_old_one_had_read(spool: Path):
    writer = Writer(spool, segment_bytes=1)
    positions = [write(writer, an_envelope(n))[0] for n in range(3)]
    writer.close()
    reader = Reader(spool)
    assert reader.read(positions[-1]) == []
    assert reader.unlink_through(positions[-1]) == 3
    assert [path.stat().st_size for path in segment_files(spool)] == [0]
    reader.close()


def test_empty_segments_of_earlier_starts_are_removed(spool: Path):
    for _ in range(3):
        Writer(spool).close()
    writer = Writer(spool)
    [position] = write(writer, an_envelope(1))
    for _ in range(2):
        writer.close()
        writer = Writer(spool)
    reader = Reader(spool)
    assert ids(read_all(reader)) == [1]
    assert reader.read(position) == []
    reader.unlink_through(position)
    assert len(segment_files(spool)) == 1
    assert reader.backlog() == (0, 1)
    reader.close()
    writer.close()


def test_closing_seals_so_that_a_digest_can_remove_everything(spool: Path, reader: Reader):
    writer = Writer(spool)
    [position] = write(writer, an_envelope(1))
    writer.close()
    assert ids(read_all(reader)) == [1]
    reader.read(position)
    reader.unlink_through(position)
    assert [path.stat().st_size for path in segment_files(spool)] == [0]


def test_a_number_is_never_used_again_even_with_a_clock_set_back(spool: Path):
    first = Writer(spool, clock=lambda: 2_000_000.0)
    [position] = write(first, an_envelope(1))
    first.close()
    assert position.segment == 2_000_000_000
    second = Writer(spool, clock=lambda: 1_000_000.0)
    [next_position] = write(second, an_envelope(2))
    second.close()
    assert next_position > position
    for path in segment_files(spool):
        path.unlink()
    third = Writer(spool, clock=lambda: 1_000_000.0, floor=next_position.segment)
    [last_position] = write(third, an_envelope(3))
    third.close()
    assert last_position.segment == next_position.segment + 1


def test_a_second_writer_and_a_second_reader_are_told_who_is_there(spool: Path, writer: Writer, reader: Reader):
    for side in (Writer, Reader):
        with pytest.raises(SpoolLocked, match=f"Process {os.getpid()} already holds"):
            side(spool)


def test_the_spool_is_for_its_owner_only(spool: Path, writer: Writer):
    write(writer, an_envelope(1))
    assert stat.S_IMODE(spool.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in spool.iterdir()} == {0o600}


def test_the_size_is_known_without_looking(spool: Path, reader: Reader):
    writer = Writer(spool, segment_age_ms=3_600_000)
    assert writer.size() == (0, 0)
    write(writer, an_envelope(1))
    on_disk = sum(path.stat().st_size for path in segment_files(spool))
    assert writer.size().bytes == on_disk
    assert until(lambda: writer.size() == (on_disk, 1))
    assert reader.backlog() == (on_disk, 1)
    writer.close()


# Damage. A record of `an_envelope` is the same number of bytes each time.


def damaged(spool: Path, change: Callable[[bytearray, int], None], *, sealed: bool) -> tuple[list[Position], int]:
    """Five records in one segment, then `change(data, record size)` on its file."""
    writer = Writer(spool, segment_age_ms=3_600_000)
    positions = write(writer, *[an_envelope(n) for n in range(5)])
    if sealed:
        writer.close()
    else:
        os.close(writer._lock)
        writer._group.close()
    path = segment_files(spool)[0]
    data = bytearray(path.read_bytes())
    size = len(data) // 5
    change(data, size)
    path.write_bytes(data)
    return positions, size


def test_a_torn_tail_is_not_read_and_ends_nothing_while_the_segment_is_open(spool: Path, reader: Reader):
    def tear(data: bytearray, size: int) -> None:
        del data[-1:]

    positions, _ = damaged(spool, tear, sealed=False)
    assert ids(read_all(reader)) == [0, 1, 2, 3]
    assert reader.corrupt_bytes == 0
    with segment_files(spool)[0].open("ab") as file:
        file.write(_last_byte(spool))
    assert ids(read_all(reader, positions[3])) == [4]


def _last_byte(spool: Path) -> bytes:
    from daytwo_server.ingest.spool.record import encode

    return encode(an_envelope(4), 4)[-1:]


def test_a_torn_tail_of_a_sealed_segment_is_passed_over_and_counted(spool: Path, reader: Reader):
    def tear(data: bytearray, size: int) -> None:
        del data[-10:]

    _, size = damaged(spool, tear, sealed=False)
    writer = Writer(spool)
    write(writer, an_envelope(99))
    writer.close()
    assert ids(read_all(reader)) == [0, 1, 2, 3, 99]
    assert reader.corrupt_bytes == size - 10


@pytest.mark.parametrize("at", [0, 4, 8, 12, 20])
def test_damage_in_a_sealed_segment_costs_that_record_only(spool: Path, reader: Reader, at: int):
    def flip(data: bytearray, size: int) -> None:
        data[2 * size + at] ^= 0xFF

    positions, size = damaged(spool, flip, sealed=True)
    assert ids(read_all(reader)) == [0, 1, 3, 4]
    assert reader.corrupt_bytes == size
    reader.read(positions[4])
    assert reader.unlink_through(positions[4]) == 1


def test_damage_in_the_open_segment_holds_reading_until_it_is_sealed(spool: Path, reader: Reader):
    def flip(data: bytearray, size: int) -> None:
        data[size] ^= 0xFF

    positions, _ = damaged(spool, flip, sealed=False)
    assert ids(read_all(reader)) == [0]
    Writer(spool).close()
    assert ids(read_all(reader, positions[0])) == [2, 3, 4]


def test_a_record_that_was_copied_into_a_payload_is_not_read_as_one(spool: Path, reader: Reader):
    from daytwo_server.ingest.spool.record import encode

    writer = Writer(spool)
    write(writer, an_envelope(1, encode(an_envelope(666), 0)), an_envelope(2))
    writer.close()
    assert ids(read_all(reader)) == [1, 2]


def test_nothing_but_noise_is_passed_over_and_removed(spool: Path, reader: Reader):
    spool.mkdir(exist_ok=True)
    (spool / f"{5:020d}.seg").write_bytes(os.urandom(3_000_000))
    writer = Writer(spool)
    [position] = write(writer, an_envelope(1))
    assert ids(read_all(reader)) == [1]
    assert reader.corrupt_bytes == 3_000_000
    reader.unlink_through(position)
    assert len(segment_files(spool)) == 1
    writer.close()
