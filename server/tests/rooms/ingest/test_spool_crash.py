"""kill -9 at any moment: no acknowledged record is lost, none is read twice, none is half."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from daytwo_server.ingest.spool import START, Envelope, Position, Reader, Writer

# Writes for ever from several tasks, and names on stdout what was acknowledged.
WRITE_FOR_EVER = """
import asyncio, os, sys
from pathlib import Path
from daytwo_server.ingest.spool import Envelope, Writer

first, step = int(sys.argv[2]), 16
writer = Writer(Path(sys.argv[1]), segment_bytes=200_000, segment_age_ms=50)

async def sender(n):
    while True:
        payload = (b"%d," % n) * (1 + n % 9000)
        await writer.submit(Envelope(1, "", 0.0, None, f"{n:032x}", "", "", [("event", payload)]))
        os.write(1, b"%d\\n" % n)
        n += step

async def main():
    await asyncio.gather(*[sender(first + n) for n in range(step)])

asyncio.run(main())
"""


def acknowledged_before_the_kill(spool: Path, first: int, seconds: float) -> list[int]:
    process = subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(spool), str(first)], stdout=subprocess.PIPE)
    os.read(process.stdout.fileno(), 1)  # the first one is through
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.stdout.close()
    process.wait()
    words = (b"0" + rest).split(b"\n")
    # The first digit was taken above: the first writer's number starts with it.
    return [int(word) for word in words[1:] if word]


def read_from(reader: Reader, position: Position) -> tuple[list[int], Position]:
    seen: list[int] = []
    while records := reader.read(position, max_records=100):
        for record in records:
            assert isinstance(record.content, Envelope)
            n = int(record.content.event_id, 16)
            assert record.content.items == [("event", (b"%d," % n) * (1 + n % 9000))]
            seen.append(n)
            assert record.position > position
            position = record.position
        reader.unlink_through(position)
    return seen, position


def test_a_killed_writer_loses_nothing_it_acknowledged(spool: Path):
    reader = Reader(spool)
    position = START
    seen: list[int] = []
    acknowledged: list[int] = []
    for turn in range(3):
        acknowledged += acknowledged_before_the_kill(spool, turn * 10_000_000, random.uniform(0.2, 0.6))
        found, position = read_from(reader, position)  # while the torn segment is still the newest
        seen += found
    Writer(spool).close()  # seals it
    found, position = read_from(reader, position)
    seen += found
    assert len(acknowledged) > 100
    assert set(acknowledged) <= set(seen)
    assert len(seen) == len(set(seen))
    reader.read(position)
    reader.unlink_through(position)
    assert [path.stat().st_size for path in spool.glob("*.seg")] == [0]
    reader.close()


def test_a_reader_killed_between_reading_and_saving_reads_the_same_again(spool: Path):
    acknowledged = acknowledged_before_the_kill(spool, 0, 0.3)
    reader = Reader(spool)
    once, _ = [record.position for record in reader.read(START)], reader.close()
    reader = Reader(spool)
    again = [record.position for record in reader.read(START)]
    reader.close()
    assert once == again
    assert len(acknowledged) > 10
