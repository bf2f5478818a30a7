"""The common log line, made in half the time: plain values, no exception, JSON.

Most calls pass a constant message and a few short texts and numbers under the same names each time. What was found out
about a message or a set of names is remembered, values are only looked over, and one call of the JSON encoder writes
them. Whatever is not common is left to the thorough way, which gives the same line.
"""

import time
from collections.abc import Mapping
from typing import Any

from daytwo import scope
from daytwo._wire import dump
from daytwo.logs.values import is_harmless, is_plain_name, text

RESERVED = frozenset({"timestamp", "level", "message", "logger", "exception"})
_REMEMBERED = 1000  # messages and sets of names; an app whose messages all differ starts over
_LONG = 200  # characters of a message worth remembering
_WHOLE = 10**12  # beyond it an integer may be a card number

_messages: dict[object, bytes] = {}
_shapes: dict[tuple[Any, ...], bool] = {}
_LEVELS = {
    number: f'","level":"{name}","message":'.encode()
    for number, name in {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}.items()
}
_MILLISECONDS = [f".{number:03d}Z".encode() for number in range(1000)]
_second: tuple[int, bytes] = (-1, b"")


def tail(logger: str, bound: Mapping[str, Any]) -> bytes:
    """The part of each line of a logger that never changes; `bound` is plain."""
    return b",".join((b',"logger":' + dump(logger), *([dump(bound)[1:-1]] if bound else ())))


def line(
    number: int, message: object, tail: bytes, bound: Mapping[str, Any], fields: dict[str, object]
) -> bytes | None:
    """The line with its end, or None when it has to be made the thorough way. `fields` are not changed.

    May raise what the encoder raises: then, too, the thorough way knows what to do.
    """
    spoken = _messages.get(message) if type(message) is str else None
    if spoken is None and (spoken := _spoken(message)) is None:
        return None
    request = scope.current()
    if request:
        if not bound.keys().isdisjoint(request):
            return None
        fields = {**request, **fields}
    if not fields:
        return b"".join((_stamp(), _LEVELS[number], spoken, tail, b"}\n"))
    if not _are_common(fields) or (bound and not bound.keys().isdisjoint(fields)):
        return None
    return b"".join((_stamp(), _LEVELS[number], spoken, tail, b",", dump(fields)[1:], b"\n"))


def _are_common(fields: dict[str, object]) -> bool:
    """Whether the encoder may write these fields as they are."""
    shape = tuple(fields)
    common = _shapes.get(shape)
    if not (_is_common(shape) if common is None else common):
        return False
    for value in fields.values():
        kind = type(value)
        if kind is str:
            fine = len(value) <= 12 or is_harmless(value)  # type: ignore[arg-type]
        elif kind is int:
            fine = -_WHOLE < value < _WHOLE  # type: ignore[operator]
        elif kind is float:
            fine = value - value == 0  # type: ignore[operator]  # NaN and infinities are no JSON
        else:
            fine = value is None or kind is bool
        if not fine:
            return False
    return True


def _spoken(message: object) -> bytes | None:
    if type(message) is not str:
        return None
    encoded = dump(text(message))
    if len(message) <= _LONG:
        if len(_messages) >= _REMEMBERED:
            _messages.clear()
        _messages[message] = encoded
    return encoded


def _is_common(shape: tuple[Any, ...]) -> bool:
    found = all(type(name) is str and name not in RESERVED and is_plain_name(name) for name in shape)
    if len(_shapes) >= _REMEMBERED:
        _shapes.clear()
    _shapes[shape] = found
    return found


def _stamp() -> bytes:
    global _second  # noqa: PLW0603 - replaced as one tuple, so a race only costs a repeated strftime
    now = time.time()
    whole = int(now)
    cached, prefix = _second
    if cached != whole:
        prefix = time.strftime('{"timestamp":"%Y-%m-%dT%H:%M:%S', time.gmtime(whole)).encode()
        _second = (whole, prefix)
    return prefix + _MILLISECONDS[int((now - whole) * 1000)]
