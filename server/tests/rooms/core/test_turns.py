"""Writers of one process wait in line for SQLite's one writer, and no longer than was said."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from django.db import OperationalError, connection, connections, transaction

from daytwo_server.core.models import Topic
from daytwo_server.core.sqlite.turns import Turn, turn_of
from daytwo_server.core.trouble import is_trouble


def test_whoever_waits_longest_is_next():
    turn, order = Turn(), []
    assert turn.take(1)

    def work(name: int) -> None:
        assert turn.take(5)
        order.append(name)
        turn.leave()

    threads = [threading.Thread(target=work, args=[name]) for name in range(5)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        while len(turn._waiting) < count:
            time.sleep(0.001)
    turn.leave()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert turn.take(0)


def test_whoever_gives_up_is_passed_over():
    turn = Turn()
    assert turn.take(1)
    assert not turn.take(0.01)
    turn.leave()
    assert turn.take(0)
    turn.leave()
    assert not turn._taken


@pytest.fixture
def turn(transactional_db) -> Turn:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has as many writers as there are")
    return turn_of(str(connection.settings_dict["NAME"]))


def elsewhere(work) -> Exception | None:
    """On another thread and so another connection; what it raised."""
    raised = []

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - told
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised[0] if raised else None


def test_a_transaction_has_the_turn_until_it_ends_however_it_ends(turn):
    with transaction.atomic():
        assert turn._taken
        Topic.objects.create(name="a", version=1)
    assert not turn._taken
    with pytest.raises(ValueError, match="ends it"), transaction.atomic():
        raise ValueError("ends it")
    assert not turn._taken
    with pytest.raises(Exception, match="no such"), transaction.atomic():
        connection.cursor().execute("SELECT * FROM nowhere")
    assert not turn._taken

    def left_open() -> None:
        with transaction.atomic():
            connection.close()

    elsewhere(left_open)
    assert not turn._taken


def test_a_statement_alone_has_it_for_as_long_as_it_takes_and_reading_needs_none(turn):
    Topic.objects.create(name="a", version=1)
    assert Topic.objects.filter(name="a").update(version=2) == 1
    assert not turn._taken
    assert turn.take(0)
    try:
        assert Topic.objects.get(name="a").version == 2
    finally:
        turn.leave()


def test_waiting_ends_as_with_sqlite_itself(turn):
    def write() -> None:
        connection.settings_dict["OPTIONS"]["timeout"] = 0.05
        Topic.objects.create(name="b", version=1)

    with transaction.atomic():
        error = elsewhere(write)
    connection.settings_dict["OPTIONS"]["timeout"] = 5
    assert isinstance(error, OperationalError)
    assert is_trouble(error)
    assert not turn._taken


def test_waiting_in_line_and_for_another_process_together_take_no_longer_than_was_said(turn):
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # as another process does
    took = []

    def write() -> None:
        connection.settings_dict["OPTIONS"]["timeout"] = 1.5
        begun = time.monotonic()
        try:
            Topic.objects.create(name="b", version=1)
        finally:
            took.append(time.monotonic() - begun)
            assert connection.connection.execute("PRAGMA busy_timeout").fetchone()[0] == 1500

    try:
        threads = [threading.Thread(target=lambda: errors.append(elsewhere(write))) for _ in range(3)]
        errors: list[Exception | None] = []
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        other.execute("ROLLBACK")
        other.close()
        connection.settings_dict["OPTIONS"]["timeout"] = 5
    assert {type(error) for error in errors} == {OperationalError}
    assert all(is_trouble(error) for error in errors)
    assert max(took) < 2.5
    assert not turn._taken


def test_many_threads_that_write_all_get_their_share(turn):
    wrote, connected = [0] * 4, threading.Barrier(4)

    def work(number: int) -> None:
        Topic.objects.create(name=str(number), version=0)
        connected.wait(10)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            with transaction.atomic():
                Topic.objects.update_or_create(name=str(number), defaults={"version": wrote[number]})
            wrote[number] += 1
        connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(wrote) * 2 > max(wrote), wrote


@pytest.mark.parametrize("timeout_s", [-5.0, 1e12])  # what no lock can wait for
def test_whoever_fails_to_wait_leaves_the_line(timeout_s):
    turn = Turn()
    assert turn.take(1)
    with pytest.raises((ValueError, OverflowError)):
        turn.take(timeout_s)
    turn.leave()
    assert turn.take(0)


def test_who_is_interrupted_in_line_leaves_it_and_who_was_called_up_by_then_passes_it_on(monkeypatch):
    class Interrupted:
        """A lock whose owner is interrupted while waiting for it; `first` is what happens just before."""

        def __init__(self, first=lambda: None) -> None:
            self.first = first

        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is not None:
                self.first()
                raise KeyboardInterrupt
            return True

        def release(self) -> None:
            """It is their turn."""

    turn = Turn()
    for first, still_held in ((lambda: None, True), (turn.leave, False)):
        assert turn.take(1)
        with monkeypatch.context() as patch:
            patch.setattr("daytwo_server.core.sqlite.turns.threading.Lock", lambda first=first: Interrupted(first))
            with pytest.raises(KeyboardInterrupt):
                turn.take(1)
        assert (list(turn._waiting), turn._taken) == ([], still_held)
        if still_held:
            turn.leave()


@pytest.mark.parametrize("write", ["transaction", "statement", "statements"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_wait_that_cannot_be_set_gives_the_turn_back(turn, monkeypatch, write, when):
    """The time that the connection waits for other processes is set before BEGIN when one waited long in line, and set
    back after it; either may fail, and neither may leave the line without a next one.
    """

    def write_now() -> None:
        rows = [["a", 1], ["b", 1]]
        insert = "INSERT INTO core_topic (name, version) VALUES (%s, %s)"
        connection.ensure_connection()
        monkeypatch.setattr("daytwo_server.core.sqlite.base.LONG_S", -1.0)
        calls = []

        def fails(seconds: float) -> None:
            calls.append(seconds)
            if len(calls) == (1 if when == "before" else 2):
                raise sqlite3.ProgrammingError("Cannot operate on a closed database.")

        connection._wait_for_others = fails
        with connection.cursor() as cursor:
            if write == "transaction":
                with transaction.atomic():
                    cursor.execute(insert, rows[0])
            elif write == "statement":
                cursor.execute(insert, rows[0])
            else:
                cursor.executemany(insert, rows)

    assert str(elsewhere(lambda: checked(write_now))) == "Cannot operate on a closed database."
    assert not turn._taken


def checked(work) -> None:
    """The turn is free as soon as the work has failed, not only once its connection is closed."""
    try:
        work()
    finally:
        assert not turn_of(str(connection.settings_dict["NAME"]))._taken
        assert connection._holds is None
        assert not connection.connection.in_transaction
