"""Whatever an app hands over, in whatever thread or task: nothing is raised, nothing takes 50 ms, nothing is mixed up."""

import asyncio
import json
import threading
import time

import pytest

import daytwo
from daytwo import scope, testing

TEN_MB = "x" * 10_000_000


class Bad:
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class Wordy:
    def __repr__(self):
        return TEN_MB


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def circle():
    found = {}
    found["again"] = [found, {"more": found}]
    return found


def deep():
    found = []
    for _ in range(100_000):
        found = [found]
    return found


VALUES = {
    "text": TEN_MB,
    "wide text": "é" * 10_000_000,
    "digits": "4111 " * 2_000_000,
    "addresses": "postgres://" * 900_000,
    "bytes": b"x" * 10_000_000,
    "bytearray": bytearray(b"x" * 10_000_000),
    "list": ["x" * 100] * 100_000,
    "dict": dict.fromkeys(range(1_000_000), "x"),
    "set": set(range(1_000_000)),
    "integer": 10**100_000,
    "circle": circle(),
    "depth": deep(),
    "unprintable": Bad(),
    "unprintable exception": Unprintable(),
    "wordy": Wordy(),
    "exception": ValueError(TEN_MB),
}


def raised(value):
    """An exception on whose way the value was a local variable."""
    try:
        lose(value)
    except LookupError as error:
        return error


def lose(value):
    raise LookupError(value if isinstance(value, str) else "no stock")


def cost(call):
    """Milliseconds of this thread's processor time, the best of three: others may be using the machine."""
    took = []
    for _ in range(3):
        begun = time.thread_time()
        call()
        took.append((time.thread_time() - begun) * 1000)
    return min(took)


@pytest.fixture
def reported():
    with testing.captured_logs() as lines, testing.captured_events(enable_logs=True) as events:
        yield lines, events


@pytest.mark.parametrize("name", VALUES)
def test_no_value_raises_takes_50_ms_or_leaves_whole(name, reported):
    value, log = VALUES[name], daytwo.get_logger("shop")
    within = {
        "a field": lambda: log.info("said", value=value),
        "a message": lambda: log.info(value),
        "an argument": lambda: log.info("said %s", value),
        "bound": lambda: log.child(value=value).info("said"),
        "in the log as an error": lambda: log.error("failed", raised(value), value=value),
        "a message reported": lambda: daytwo.capture_message(value, "warning", value=value),
        "an exception reported": lambda: daytwo.capture_exception(raised(value), value=value),
        "a user": lambda: daytwo.set_user(value, email=value, plan=value),
    }
    with scope.request(value=value):
        took = {where: cost(call) for where, call in within.items()}
    assert {where: ms for where, ms in took.items() if ms >= 50} == {}
    lines, events = reported
    assert len(lines) == 3 * 5
    assert len(events) == 3 * 3
    # A line has the value in three places at most: each is cut at 8 KB, as are those of an event.
    assert max(len(json.dumps(line, ensure_ascii=False).encode()) for line in lines) < 40_000
    assert max(len(json.dumps(event, ensure_ascii=False).encode()) for event in events) < 300_000


def test_what_is_no_exception_is_not_reported_as_one(reported):
    daytwo.capture_exception("no exception at all")
    daytwo.capture_exception(5)
    daytwo.capture_message(None)
    assert len(reported[1]) <= 3


def test_threads_and_tasks_at_once_keep_their_requests_apart(reported):
    """Eight threads with a loop each, in each 20 requests, of which each goes on in a thread of its own."""
    log = daytwo.get_logger("shop")

    def view(name):
        log.set(seen=name)
        daytwo.set_user(name)
        log.info("in a sync view", expected=name)
        daytwo.capture_message(name)

    def background(name):
        log.info("in the background", expected=name)

    async def serve(name):
        with scope.request(request_id=name) as fields:
            await asyncio.sleep(0)
            await asyncio.gather(asyncio.to_thread(view, name), asyncio.sleep(0.001))
            thread = threading.Thread(target=daytwo.wrap(background), args=(name,))
            thread.start()
            log.error("in a task", ValueError(name), expected=name)
            thread.join()
            assert fields["seen"] == name

    async def serve_all(worker):
        await asyncio.gather(*(serve(f"{worker}-{number}") for number in range(20)))

    failed = []

    def run(worker):
        try:
            asyncio.run(serve_all(worker))
        except BaseException as error:  # noqa: BLE001 - an assertion in a thread would be lost
            failed.append(error)

    threads = [threading.Thread(target=run, args=(worker,)) for worker in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failed == []
    lines, events = reported
    assert len(lines) == 8 * 20 * 3
    assert [line for line in lines if line["request_id"] != line["expected"]] == []
    assert len(events) == 8 * 20 * 2
    for event in events:
        name = event.get("message") or event["exception"]["values"][-1]["value"]
        assert (event["tags"]["request_id"], event["user"]["id"]) == (name, name)
    daytwo.get_logger("shop").info("outside")
    assert "request_id" not in lines[-1]
