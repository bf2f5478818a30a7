"""The common log line, made in half the time: plain values, no exception, JSON.

Most calls pass a constant message and a few short texts and numbers under the same names each time. What was found out
about a message or a set of names is remembered, values are only looked over, and one call of the JSON encoder writes
them. Whatever is not common is left to the thorough way, which gives the same line.
"""

import time
from collections.abc import Mapping
from typing import Any

from daytwo import scope
from daytwo._wire import dump, rfc3339
from daytwo.logs.levels import NAMES, RESERVED
from daytwo.logs.values import is_harmless, is_plain_name, text

_REMEMBERED = 1000  # messages and sets of names; an app whose messages all differ starts over
_LONG = 200  # characters of a message worth remembering
_WHOLE = 10**12  # beyond it an integer may be a card number
_SPECIAL = RESERVED | {"exc"}  # `exc` may be an exception, which becomes a field of another name

_messages: dict[object, bytes] = {}
_shapes: dict[tuple[Any, ...], bool] = {}
_HEAD = b'{"timestamp":"'
_LEVELS = {number: f'","level":"{name}","message":'.encode() for number, name in NAMES.items()}


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
        return b"".join((_HEAD, rfc3339(time.time()).encode(), _LEVELS[number], spoken, tail, b"}\n"))
    if not _are_common(fields) or (bound and not bound.keys().isdisjoint(fields)):
        return None
    stamp = rfc3339(time.time()).encode()
    return b"".join((_HEAD, stamp, _LEVELS[number], spoken, tail, b",", dump(fields)[1:], b"\n"))


def _are_common(fields: dict[str, object]) -> bool:
    """Whether the encoder may write these fields as they are."""
    shape = tuple(fields)
    kept = _shapes.get(shape)
    if not (_keeps_names(shape) if kept is None else kept):
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


def _keeps_names(names: tuple[Any, ...]) -> bool:
    """Whether a line shows all these names as they are, and openly what is under them; remembered."""
    found = all(type(name) is str and name not in _SPECIAL and is_plain_name(name) for name in names)
    if len(_shapes) >= _REMEMBERED:
        _shapes.clear()
    _shapes[names] = found
    return found
