"""Stores in SQLite files."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any, Literal

from daytwo_server.operate.backup.files import MIB
from daytwo_server.operate.backup.problems import BackupError
from daytwo_server.operate.backup.progress import Progress

# Copied in steps of this size, each of them put on the disk. Measured on 1.4 GB beside a writer: commits of the live
# store took at most 28 ms, where one step, steps without a sync and VACUUM INTO made them wait for 0.1 to 0.8 s.
_STEP_BYTES = 8 * MIB


class Snapshot:
    """The moment at which this was made, for as long as it is open. Raises `BackupError`.

    A read transaction: writers go on, and the write-ahead log grows by what they write until it is closed.
    """

    kind: Literal["sqlite", "postgresql"] = "sqlite"
    schema, suffix = "", ".db"

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise BackupError(f"There is nothing to back up: {path} does not exist. Is this the right data directory?")
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10, check_same_thread=False
        )
        try:
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # the first read is what pins it
        except sqlite3.Error as problem:
            self._connection.close()
            raise BackupError(f"{path} cannot be read: {problem}. `daytwo doctor` tells more.") from problem
        self._path = path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def size(self) -> int:
        """Bytes that a copy has."""
        [(pages, page_size)] = self.rows("SELECT * FROM pragma_page_count(), pragma_page_size()")
        return int(pages * page_size)

    def copy(self, target: Path, progress: Progress) -> None:
        """Write the store as it was to a new file. Raises `BackupError`."""
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        told = 0

        def step(_status: int, remaining: int, total: int) -> None:
            nonlocal told
            os.fdatasync(handle)
            progress.add((total - remaining) * page_size - told)
            told = (total - remaining) * page_size

        try:
            [(page_size,)] = self.rows("PRAGMA page_size")
            # Nobody else knows this file, and after a crash it is thrown away: neither locks, which a network file
            # system may not have, nor a journal.
            address = f"{target.as_uri()}?nolock=1"
            with contextlib.closing(sqlite3.connect(address, uri=True, isolation_level=None)) as copy:
                copy.execute("PRAGMA journal_mode=OFF")
                copy.execute("PRAGMA synchronous=OFF")
                # Steps of a copy begin anew when somebody writes in between, but not inside of our transaction.
                self._connection.backup(copy, pages=_STEP_BYTES // page_size, progress=step)
            os.fsync(handle)
        except sqlite3.Error as problem:
            raise BackupError(f"{self._path} cannot be copied to {target}: {problem}.") from problem
        finally:
            os.close(handle)  # after SQLite's own, which would lose its locks by it

    def close(self) -> None:
        self._connection.close()


def is_used(path: Path) -> bool:
    """Whether another process has the store open."""
    if not path.exists():
        return False
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as problem:
            return problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        except sqlite3.DatabaseError:  # damaged: a reason to restore
            return False
    return False


class Opened:
    """A restored store, to be looked at."""

    def __init__(self, path: Path) -> None:
        # Nobody writes to it: no locks, no files beside it, whatever kind of disk it lies on.
        self._connection = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True, isolation_level=None)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def damage(self) -> str:
        """What SQLite finds wrong when it looks at every page and every reference; empty for nothing.

        Raises `BackupError` when it cannot look.
        """
        try:
            [(verdict,), *_] = self.rows("PRAGMA integrity_check(1)")
            if verdict != "ok":
                return str(verdict)
            broken = self.rows("PRAGMA foreign_key_check")
        except sqlite3.OperationalError as problem:
            raise BackupError(f"The restored store cannot be read: {problem}.") from problem
        except sqlite3.DatabaseError as problem:
            return str(problem)
        return f"a row of {broken[0][0]} refers to none of {broken[0][2]}" if broken else ""

    def close(self) -> None:
        self._connection.close()
