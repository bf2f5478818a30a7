"""Where log lines go: level filter, form, and one whole write per line."""

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any, Literal

from daytwo import scope
from daytwo._wire import dump, rfc3339
from daytwo.logs.console import render
from daytwo.logs.exceptions import describe
from daytwo.logs.levels import INFO, NAMES, RESERVED, WARNING, number_of
from daytwo.logs.stream import Descriptor, putter
from daytwo.logs.values import merge, plain, text

Form = Literal["auto", "json", "console"]
Tap = Callable[[dict[str, Any], int, BaseException | None], None]


class Output:
    """The one sink of a process. Configures itself from the environment when the first line arrives."""

    def __init__(self) -> None:
        self.threshold = 0  # lets the first call of any level in, which then configures
        self.lost = 0  # lines that could not be written, in this process
        self._untold = 0  # of these, the ones that no line has told of yet
        self._refused: object = None  # the last level that was none and was said to be
        self.taps: tuple[Tap, ...] = ()  # are told of every line of a Logger, after it was written
        self.busy = threading.local()  # .on while stdlib logging and Daytwo hand records to each other
        self._form: Form = "auto"
        self._stream: IO[Any] | None = None
        self._bound: object = None  # the stream that _render was chosen for
        self._render: Callable[[dict[str, Any]], bytes] = _json_line
        self._put: Callable[[bytes], None] = _no_stream
        # Reentrant: a signal handler or a __del__ may log while this thread is writing a line.
        self._lock = threading.RLock()

    def configure(self, level: str | None = None, form: Form = "auto", stream: IO[Any] | None = None) -> None:
        """Set level, form and stream anew, what is not given from the environment."""
        wanted = os.environ.get("LOG_LEVEL", "") if level is None else level
        known = number_of(wanted)
        if hasattr(os, "register_at_fork") and self.threshold == 0:
            os.register_at_fork(after_in_child=self._begin_anew)
        self._form, self._stream, self._bound = form, stream, None
        self.threshold = known or INFO
        if known is None and wanted != self._refused:
            self._refused = wanted
            levels = ", ".join(NAMES.values())
            self.emit("daytwo.logs", WARNING, f"unknown log level, using info; it can be {levels}", {"given": wanted})

    @contextmanager
    def aside(self, level: str, stream: IO[Any]) -> Iterator[None]:
        """Write JSON down to that level to another stream for the length of a block."""
        kept = (self.threshold, self._form, self._stream, self._untold)
        self.configure(level, "json", stream)
        self._untold = 0  # what was lost elsewhere is told there
        try:
            yield
        finally:
            (self.threshold, self._form, self._stream, self._untold), self._bound = kept, None

    def emit(
        self,
        logger: str,
        number: int,
        message: object,
        fields: Mapping[Any, object],
        bound: Mapping[str, Any] | None = None,
        exc: BaseException | None = None,
        *,
        created: float | None = None,
        tapped: bool = False,
    ) -> None:
        """Write one line if `number` passes the level. `bound` is plain already, `fields` are not.

        On equal names `fields` win over `bound`, and those over the request's scope. Never raises.
        """
        if self.threshold == 0:
            self.configure()
        if number < self.threshold:
            return
        try:
            record: dict[str, Any] = {
                "timestamp": rfc3339(time.time() if created is None else created),
                "level": NAMES[number],
                "message": text(message) if type(message) is str else str(plain(message)),
                "logger": logger,
            }
            request = scope.current()
            if request:
                merge(record, request.copy(), reserved=RESERVED)  # a copy: other threads may be adding to it
            if bound:
                record.update(bound)
            if fields:
                merge(record, fields, reserved=RESERVED)
            if exc is not None:
                record["exception"] = describe(exc)
            self._write(record)
        except Exception as error:  # noqa: BLE001 - a log call never raises, whatever it was given
            self._apologise(logger, number, error)
            return
        if tapped and self.taps:
            self._tell_taps(record, number, exc)

    def _write(self, record: dict[str, Any]) -> None:
        # sys.stdout is asked each time, so that whoever redirects it gets the lines.
        stream = self._stream or sys.stdout
        if stream is not self._bound:
            self._render, self._put, self._bound = _renderer(self._form, stream), putter(stream), stream
        self.send(self._render(record))

    def takes_json(self) -> bool:
        """Whether lines go out as JSON and nobody else wants to see them as a mapping."""
        return self._render is _json_line and (self._stream or sys.stdout) is self._bound and not self.taps

    def send(self, line: bytes) -> None:
        """Write a whole line to the stream that the last one went to. Never raises."""
        with self._lock:
            try:
                # Together, so that it is told when lines arrive again and not each time that a short one does.
                self._put(self._loss() + line if self._untold else line)
                self._untold = 0
            except Exception:  # noqa: BLE001 - full disk, closed pipe, a stream of the caller's own making
                self._lose()

    def _lose(self) -> None:
        if not self.lost:
            atexit.register(self._tell_loss)
        self.lost += 1
        self._untold += 1

    def _loss(self) -> bytes:
        now, message = rfc3339(time.time()), "log lines were lost: nobody read them, or there was no room"
        head = {"timestamp": now, "level": "warning", "message": message, "logger": "daytwo.logs"}
        return self._render({**head, "lost": self._untold})

    def _tell_loss(self) -> None:
        """At the end of the process: to stdout if that is possible again, else to stderr, else to nobody."""
        with self._lock, suppress(Exception):
            if not self._untold:
                return
            line, self._untold = self._loss(), 0
            try:
                self._put(line)
            except Exception:  # noqa: BLE001 - as in `send`
                if sys.__stderr__ is not None:
                    Descriptor(sys.__stderr__, patience_s=0).put(line)

    def _apologise(self, logger: str, number: int, error: Exception) -> None:
        try:
            message = f"a log line could not be rendered: {type(error).__name__}"
            line = {"timestamp": rfc3339(time.time()), "level": NAMES[number], "message": message, "logger": logger}
            self._write(line)
        except Exception:  # noqa: BLE001 - nothing is left to say
            self._lose()

    def _tell_taps(self, record: dict[str, Any], number: int, exc: BaseException | None) -> None:
        if getattr(self.busy, "on", False):
            return
        self.busy.on = True
        try:
            for tap in self.taps:
                tap(record, number, exc)
        except Exception:  # noqa: BLE001, S110 - somebody's logging.Handler failed; the line itself is written
            pass
        finally:
            self.busy.on = False

    def _begin_anew(self) -> None:
        # Another thread may have been writing while this process was forked off: it holds the lock for ever, and the
        # stream is as it was amid that. What was lost by then is told by the parent.
        self._lock = threading.RLock()
        self._bound = None
        self.lost = self._untold = 0


def _renderer(form: Form, stream: IO[Any]) -> Callable[[dict[str, Any]], bytes]:
    isatty = getattr(stream, "isatty", None)
    terminal = isatty is not None and isatty()
    production = os.environ.get("SENTRY_ENVIRONMENT", "").lower() in {"production", "prod"}
    if form == "json" or (form == "auto" and (production or not terminal)):
        return _json_line
    colour = terminal and not os.environ.get("NO_COLOR")
    return lambda record: render(record, colour=colour).encode()


def _json_line(record: dict[str, Any]) -> bytes:
    return dump(record) + b"\n"


def _no_stream(_line: bytes) -> None:
    raise OSError("no stream yet")


output = Output()
