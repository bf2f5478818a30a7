"""The backend: `"ENGINE": "daytwo_server.core.sqlite"`."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from daytwo_server.core.sqlite.schema import SchemaEditor
from daytwo_server.core.sqlite.turns import Turn, turn_of

LONG_S = 0.5
PATIENCE_S = 5.0  # where the settings name no timeout: sqlite3's own
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLAC")


class DatabaseWrapper(base.DatabaseWrapper):
    """Transactions, and single statements that write outside of one, wait for their turn."""

    SchemaEditorClass = SchemaEditor
    _holds: Turn | None = None  # the turn that this connection has
    _hurried = False

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = self.connection.cursor(factory=Cursor)
        cursor.wrapper = self
        return cursor

    def take_turn(self) -> None:
        """Raises what SQLite raises when its lock cannot be had in time."""
        if self._holds is not None:
            return
        turn, patience_s, begun = turn_of(str(self.settings_dict["NAME"])), self._patience_s(), time.monotonic()
        if not turn.take(patience_s):
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError(*busy.args) from busy
        self._holds = turn
        waited_s = time.monotonic() - begun
        if waited_s > LONG_S:  # what was spent in line is not spent again on waiting for another process
            try:
                self._wait_for_others(patience_s - waited_s)
            except BaseException:
                self.leave_turn()
                raise
            self._hurried = True

    def has_begun(self) -> None:
        """SQLite has given its lock, or has not: the next one is waited for as long as ever."""
        if self._hurried:
            self._hurried = False
            self._wait_for_others(self._patience_s())

    def leave_turn(self) -> None:
        turn, self._holds = self._holds, None
        if turn is not None:
            turn.leave()

    def _patience_s(self) -> float:
        return float(self.settings_dict["OPTIONS"].get("timeout", PATIENCE_S))

    def _wait_for_others(self, seconds: float) -> None:
        self.connection.execute(f"PRAGMA busy_timeout = {max(1, int(seconds * 1000))}")

    def end_turn(self) -> None:
        """A statement that was a transaction of its own is over, or nothing has begun."""
        try:
            self.has_begun()
        finally:
            self.leave_turn()

    def _start_transaction_under_autocommit(self) -> None:
        self.take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # the stubs leave it out
            self.has_begun()
        except BaseException:
            if self.connection.in_transaction:  # begun all the same, which Django then does not know
                self.connection.rollback()
            self.end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # when it fails, the transaction is there still, and is rolled back
        self.leave_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # the stubs leave it out
        finally:
            self.leave_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # the stubs leave it out
        finally:
            self.leave_turn()


class Cursor(base.SQLiteCursorWrapper):
    """Statements that are transactions of their own."""

    wrapper: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        if self._is_no_transaction_yet(query):
            self.wrapper.take_turn()
            try:
                return super().execute(query, params)
            finally:
                self.wrapper.end_turn()
        return super().execute(query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        if self._is_no_transaction_yet(query):
            self.wrapper.take_turn()
            try:
                return super().executemany(query, param_list)
            finally:
                self.wrapper.end_turn()
        return super().executemany(query, param_list)

    def _is_no_transaction_yet(self, query: str) -> bool:
        return not self.connection.in_transaction and query.lstrip()[:6].upper() in _WRITES
