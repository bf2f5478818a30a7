"""The logger an app holds in its hand."""

import sys
from typing import Any, TypeGuard

from daytwo import scope
from daytwo.logs import quick
from daytwo.logs.levels import CRITICAL, DEBUG, ERROR, INFO, RESERVED, WARNING
from daytwo.logs.output import output
from daytwo.logs.values import merge, plain, text

_BULKY = (str, bytes, bytearray, list, tuple, set, frozenset, dict)


class Logger:
    """Writes lines under a name, each with the fields bound to this logger.

    An exception after the message, or as `exc`, is put into the line. Other arguments by position are for code that
    came from stdlib logging: they are formatted into the message with `%`. No call raises, whatever it is given.
    """

    __slots__ = ("_bound", "_tail", "name")

    def __init__(self, name: str, bound: dict[str, Any] | None = None) -> None:
        self.name = name
        self._bound = bound or {}
        self._tail = quick.tail(name, self._bound)

    def child(self, /, **fields: object) -> "Logger":
        """Return a logger of the same name with these fields bound too. Their values are taken as they are now."""
        bound = dict(self._bound)
        merge(bound, fields, reserved=RESERVED)
        return Logger(self.name, bound)

    def set(self, /, **fields: object) -> None:
        """Add fields to every further line of the request being served, by any logger."""
        scope.set(**fields)

    def debug(self, message: object, /, *args: object, **fields: object) -> None:
        """Write what only helps to find a fault."""
        if output.threshold <= DEBUG:
            self._log(DEBUG, message, args, fields)

    def info(self, message: object, /, *args: object, **fields: object) -> None:
        """Write what happened."""
        if output.threshold <= INFO:
            self._log(INFO, message, args, fields)

    def warning(self, message: object, /, *args: object, **fields: object) -> None:
        """Write what somebody should look at some time."""
        if output.threshold <= WARNING:
            self._log(WARNING, message, args, fields)

    def error(self, message: object, /, *args: object, **fields: object) -> None:
        """Write what failed, and the exception: `log.error("payment failed", error)`. Reported too, after `init`."""
        if output.threshold <= ERROR:
            self._log(ERROR, message, args, fields)

    def critical(self, message: object, /, *args: object, **fields: object) -> None:
        """Write what keeps the app from working. Reported too, after `init`."""
        if output.threshold <= CRITICAL:
            self._log(CRITICAL, message, args, fields)

    def exception(self, message: object, /, *args: object, **fields: object) -> None:
        """Write an error with the exception being handled."""
        if output.threshold <= ERROR:
            if fields.get("exc") is None:
                fields["exc"] = sys.exception()
            self._log(ERROR, message, args, fields)

    def _log(self, number: int, message: object, args: tuple[object, ...], fields: dict[str, object]) -> None:
        if not args and output.takes_json():
            try:
                line = quick.line(number, message, self._tail, self._bound, fields)
            except Exception:  # noqa: BLE001 - nothing of it was written yet; `emit` copes with anything
                line = None
            if line is not None:
                output.send(line)
                return
        exc = fields.pop("exc", None)
        if args:
            exc = next(filter(_is_exception, args), None) if exc is None else exc
            message, fields = _formatted(message, args, fields)
        if exc is not None and not _is_exception(exc):
            fields["exc"], exc = exc, None
        output.emit(self.name, number, message, fields, self._bound, exc, tapped=True)


def _is_exception(value: object) -> TypeGuard[BaseException]:
    # Not isinstance: that asks the value for its __class__, which is code of the caller and may raise.
    return issubclass(type(value), BaseException)


def _formatted(
    message: object, args: tuple[object, ...], fields: dict[str, object]
) -> tuple[object, dict[str, object]]:
    try:
        # As fields are: without what is secret in them, and no more of them than is written.
        return str(message) % tuple(plain(arg) if issubclass(type(arg), _BULKY) else arg for arg in args), fields
    except Exception:  # noqa: BLE001 - the caller's template or __str__; a log call never raises
        rest = [arg for arg in args if not _is_exception(arg)]
        return message, {**fields, "args": rest} if rest else fields


def get_logger(name: str) -> Logger:
    """Return the logger of that name, customarily `__name__`."""
    return Logger(text(name if type(name) is str else str(name)))


def request_logger(request_id: str, user_id: str | None = None) -> Logger:
    """Return a logger with `request_id`, and `user_id` if there is one, for code without a request scope."""
    bound: dict[str, object] = {"request_id": request_id}
    if user_id is not None:
        bound["user_id"] = user_id
    return Logger("request").child(**bound)
