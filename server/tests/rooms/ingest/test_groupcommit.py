"""Group commit: many callers, few commits, no answer before its commit."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from daytwo_server.core.groupcommit import Closed, CommitFailed, GroupCommit, QueueFull


class Disk:
    """A slow store that remembers its batches and fails on what it is told to."""

    def __init__(self, *, pause_s: float = 0.0, bad: object = None) -> None:
        self.batches: list[list[int]] = []
        self.pause_s = pause_s
        self.bad = bad

    def commit(self, batch: list[int]) -> list[str]:
        time.sleep(self.pause_s)
        if self.bad in batch:
            raise OSError("No space left on device")
        self.batches.append(batch)
        return [f"row {item}" for item in batch]


def test_every_caller_gets_its_own_result_and_many_share_a_commit():
    disk = Disk(pause_s=0.01)
    group = GroupCommit(disk.commit, name="test")

    async def main() -> list[str]:
        return await asyncio.gather(*[group.submit(n) for n in range(1000)])

    assert asyncio.run(main()) == [f"row {n}" for n in range(1000)]
    group.close()
    assert [item for batch in disk.batches for item in batch] == list(range(1000))
    assert len(disk.batches) < 10
    assert max(map(len, disk.batches)) <= 500


def test_a_lone_item_does_not_wait_for_company():
    group = GroupCommit(Disk().commit, name="test")

    async def main() -> float:
        await group.submit(0)
        started = time.perf_counter()
        for n in range(50):
            await group.submit(n)
        return (time.perf_counter() - started) / 50

    assert asyncio.run(main()) < 0.5
    group.close()


def test_a_failing_commit_fails_its_batch_and_no_other():
    started, gate = threading.Event(), threading.Event()
    disk = Disk(bad=1)

    def commit(batch: list[int]) -> list[str]:
        started.set()
        gate.wait(5)
        return disk.commit(batch)

    group = GroupCommit(commit, name="test")

    async def main() -> list[object]:
        first = group.submit(0)
        assert await asyncio.to_thread(started.wait, 5)
        doomed = [group.submit(n) for n in (1, 2)]
        gate.set()
        outcomes = await asyncio.gather(first, *doomed, return_exceptions=True)
        return [*outcomes, await group.submit(3)]

    ok, one, two, three = asyncio.run(main())
    assert (ok, three) == ("row 0", "row 3")
    for failure in (one, two):
        assert isinstance(failure, CommitFailed)
        assert isinstance(failure.__cause__, OSError)
        assert str(failure) == "No space left on device"
    assert one is not two
    group.close()


def test_a_commit_may_return_nothing_but_not_the_wrong_number_of_results():
    silent = GroupCommit(lambda batch: None, name="silent")
    wrong = GroupCommit(lambda batch: [1, 2, 3], name="wrong")

    async def main() -> None:
        assert await silent.submit(1) is None
        with pytest.raises(CommitFailed):
            await wrong.submit(1)

    asyncio.run(main())
    silent.close()
    wrong.close()


def test_a_full_queue_refuses_and_recovers():
    started, gate = threading.Event(), threading.Event()

    def commit(batch: list[int]) -> None:
        started.set()
        gate.wait(5)

    group = GroupCommit(commit, name="test", max_queue=2)

    async def main() -> None:
        waiting = [group.submit(0)]
        assert await asyncio.to_thread(started.wait, 5)
        waiting += [group.submit(1), group.submit(2)]
        assert group.full()
        with pytest.raises(QueueFull):
            group.submit(3)
        gate.set()
        await asyncio.gather(*waiting)
        assert not group.full()
        await group.submit(4)

    asyncio.run(main())
    group.close()


def test_closing_commits_what_waits_and_refuses_what_comes_after():
    disk = Disk(pause_s=0.02)
    group = GroupCommit(disk.commit, name="test", max_batch=3)

    async def main() -> None:
        futures = [group.submit(n) for n in range(10)]
        await asyncio.to_thread(group.close)
        assert await asyncio.gather(*futures) == [f"row {n}" for n in range(10)]
        with pytest.raises(Closed):
            group.submit(11)

    asyncio.run(main())
    group.close()


def test_a_caller_that_left_and_a_loop_that_ended_harm_nobody():
    disk = Disk(pause_s=0.05)
    group = GroupCommit(disk.commit, name="test")

    async def leave() -> None:
        group.submit(0)
        group.submit(1).cancel()

    async def stay() -> str:
        return await group.submit(2)

    asyncio.run(leave())
    assert asyncio.run(stay()) == "row 2"
    group.close()
    assert [item for batch in disk.batches for item in batch] == [0, 1, 2]


def test_housekeeping_runs_when_nothing_comes_and_survives_its_own_errors(caplog: pytest.LogCaptureFixture):
    calls: list[str] = []

    def idle() -> None:
        calls.append(threading.current_thread().name)
        if len(calls) == 1:
            raise RuntimeError("once")

    group = GroupCommit(Disk().commit, name="the-writer", idle=idle, idle_after_ms=5)
    deadline = time.monotonic() + 5
    while len(calls) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    group.close()
    assert set(calls) == {"the-writer"}
    assert "Housekeeping" in caplog.text
