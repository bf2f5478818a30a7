"""The key table: new keys work at once, a broken source is survived."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path

import pytest
from intake import EVENT, KEY, PROJECT, Intake, envelope, running

from daytwo_server.ingest.keys import Key, KeyTable

NEW = "a" * 32
BODY = envelope(("event", EVENT))


class Source:
    """A key source that can break, be slow, and counts how often it is read."""

    def __init__(self) -> None:
        self.keys = {KEY: Key(public_key=KEY, project=1)}
        self.version = 0
        self.loads = 0
        self.broken = False
        self.slow_s = 0.0

    def load(self) -> Mapping[str, Key]:
        self.loads += 1
        time.sleep(self.slow_s)
        if self.broken:
            raise OSError("the database is away")
        return dict(self.keys)

    def run(self, test: Callable[[KeyTable], Coroutine[object, object, None]], **intervals: int) -> None:
        async def main() -> None:
            table = KeyTable(self.load, version=lambda: self.version, **intervals)
            await table.start()
            try:
                await test(table)
            finally:
                await table.stop()

        asyncio.run(main())


async def until(condition: Callable[[], bool]) -> bool:
    for _ in range(500):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.fixture
def source() -> Source:
    return Source()


def test_a_new_key_works_with_its_first_event(intake: Intake):
    assert intake.post(BODY).status_code == 200
    intake.keys[NEW] = Key(public_key=NEW, project=PROJECT)
    assert intake.post(BODY, headers={"X-Sentry-Auth": f"Sentry sentry_key={NEW}"}).status_code == 200


def test_a_key_that_is_disabled_stops_working_within_two_seconds(intake: Intake):
    assert intake.post(BODY).status_code == 200
    intake.keys[KEY] = Key(public_key=KEY, project=PROJECT, active=False)
    intake.version += 1
    deadline = time.monotonic() + 2
    while intake.post(BODY).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert intake.post(BODY).status_code == 403


def test_many_unknown_keys_at_once_read_the_source_once(source: Source):
    source.slow_s = 0.05

    async def test(table: KeyTable) -> None:
        before = source.loads
        assert await asyncio.gather(*[table.find(f"{n:032x}") for n in range(50)]) == [None] * 50
        assert source.loads == before + 1
        assert await table.find("f" * 32) is None
        assert source.loads == before + 1

    source.run(test)


def test_an_unknown_key_reads_the_source_again_after_a_pause(source: Source):
    async def test(table: KeyTable) -> None:
        assert await table.find(NEW) is None
        source.keys[NEW] = Key(public_key=NEW, project=2)
        await asyncio.sleep(0.06)
        assert await table.find(NEW) == source.keys[NEW]

    source.run(test, miss_every_ms=50)


def test_a_caller_who_leaves_does_not_take_the_others_answer_away(source: Source):
    async def test(table: KeyTable) -> None:
        source.slow_s = 0.05
        source.keys[NEW] = Key(public_key=NEW, project=2)
        first = asyncio.create_task(table.find(NEW))
        second = asyncio.create_task(table.find(NEW))
        await asyncio.sleep(0.01)
        first.cancel()
        assert await second == source.keys[NEW]

    source.run(test)


def test_a_reading_that_does_not_change_is_not_loaded_again(source: Source):
    async def test(table: KeyTable) -> None:
        await asyncio.sleep(0.1)
        assert source.loads == 1
        source.version = 1
        assert await until(lambda: source.loads == 2)

    source.run(test, check_every_ms=10)


def test_a_source_that_breaks_leaves_the_last_keys_and_is_logged_once(source: Source, caplog: pytest.LogCaptureFixture):
    async def test(table: KeyTable) -> None:
        source.broken = True
        source.version = 1
        assert await until(lambda: source.loads > 3)
        assert table.get(KEY) is not None
        source.broken = False
        source.keys = {}
        assert await until(lambda: table.get(KEY) is None)

    with caplog.at_level(logging.ERROR):
        source.run(test, check_every_ms=10)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_before_the_first_load_a_key_is_not_called_unknown(spool: Path):
    def load() -> dict[str, Key]:
        raise OSError("the database is away")

    with running(spool, load=load) as intake:
        answer = intake.post(BODY)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
        assert ":starting" in answer.headers["x-sentry-rate-limits"]
