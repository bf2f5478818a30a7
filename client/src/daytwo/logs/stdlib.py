"""The bridge to stdlib logging, in both directions."""

import logging
from typing import Any

from daytwo.logs.levels import CRITICAL, DEBUG, ERROR, INFO, WARNING
from daytwo.logs.output import output

_OURS = "daytwo_line"  # marks a record that is a Daytwo line already
# `color_message` is the text with escape codes that uvicorn sends along.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message", _OURS}


class StdlibHandler(logging.Handler):
    """Writes stdlib records as Daytwo lines, with their `extra`, exception and stack."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, unless it is a line of Daytwo's that was offered to stdlib."""
        if is_ours(record) or getattr(output.busy, "on", False):
            return
        output.busy.on = True
        try:
            fields: dict[str, Any] = {name: value for name, value in vars(record).items() if name not in _OWN}
            message = _message(record, fields)
            if record.stack_info:
                fields["stack"] = record.stack_info
            exc = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
            output.emit(record.name, _number(record.levelno), message, fields, None, exc, created=record.created)
        finally:
            output.busy.on = False


def is_ours(record: object) -> bool:
    """Whether a stdlib record is a Daytwo line that was offered to stdlib's handlers."""
    return hasattr(record, _OURS)


def install(*, forward: bool = False) -> StdlibHandler:
    """Put a StdlibHandler on the root logger, once, and its level to Daytwo's. Call it after `configure`.

    With `forward`, Daytwo's own lines are also offered to the other stdlib handlers (pytest's `caplog`,
    a file, Sentry's breadcrumbs). Handlers that were on the root logger before stay there.
    """
    if output.threshold == 0:
        output.configure()
    root = logging.getLogger()
    root.setLevel(output.threshold)
    if forward and _forward not in output.taps:
        output.taps += (_forward,)
    present = next((handler for handler in root.handlers if isinstance(handler, StdlibHandler)), None)
    handler = present or StdlibHandler()
    root.addHandler(handler)  # adding it twice is no harm: logging keeps one
    return handler


def _message(record: logging.LogRecord, fields: dict[str, Any]) -> object:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - template and arguments do not fit, or a __str__ failed
        fields["args"] = record.args
        return record.msg


def _number(level: int) -> int:
    return next((number for number in (CRITICAL, ERROR, WARNING, INFO) if level >= number), DEBUG)


def _forward(line: dict[str, Any], number: int, exc: BaseException | None) -> None:
    logger = logging.getLogger(line["logger"])
    if not logger.isEnabledFor(number):
        return
    exc_info = (type(exc), exc, exc.__traceback__) if exc else None
    record = logging.LogRecord(logger.name, number, "", 0, line["message"], None, exc_info)
    for name, value in line.items():
        if name not in _OWN:
            setattr(record, name, value)
    setattr(record, _OURS, True)
    logger.handle(record)
