"""Makes any Python value fit for a log line: plain JSON, bounded in size, without secrets."""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any

LIMIT = 8192  # bytes of one value
REDACTED = "[redacted]"
_CUT = "…"
_SHORT = LIMIT // 4  # characters that are within LIMIT bytes in any script
_DEPTH = 6
_NODE = 8  # what an element costs of its value's LIMIT beside its text, so a million Nones are bounded too

_SECRET_KEY = re.compile(
    r"passw|passphrase|pwd|secret|token|authorization|cookie|credential|(?:api|private)[^a-z0-9]?key"
    r"|(?-i:(?<![A-Za-z])dsn|Dsn|DSN)",  # not in `records_name`
    re.IGNORECASE,
)
# A first digit of the large card schemes, then 13-19 digits in one run or in the groups printed on cards.
# Not inside words or after a decimal point. The look-behind stands after the first digit so that the
# engine can scan for that digit; in front it doubles the cost of a line.
_CARD = re.compile(
    r"[2-6](?<![0-9A-Za-z].)(?<![0-9]\..)"
    r"(?:[0-9]{12,18}|[0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![0-9A-Za-z])"
)
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def plain(value: object) -> Any:
    """Return `value` as plain JSON of at most LIMIT bytes (a bit more with escapes), never raising.

    Text that holds a card number (checked by its Luhn digit) or a password in a URL loses it.
    What has no JSON form is its `str()`; integers beyond 64 bits and NaN are text as well.
    """
    kind = type(value)
    if kind is str:
        return text(value)  # type: ignore[arg-type]
    if value is None or kind is bool:
        return value
    if kind is int and -(10**12) < value < 10**12:  # type: ignore[operator]
        return value
    return _plain(value, 0, [LIMIT])


def merge(target: dict[str, Any], fields: Mapping[Any, object], *, reserved: frozenset[str] = frozenset()) -> None:
    """Put every field into `target` as plain JSON: secrets redacted by key, reserved keys as `field_<key>`."""
    for key, value in fields.items():
        name = key if type(key) is str else str(plain(key))
        safe, secret = _judge(name)
        if safe in reserved:
            safe = "field_" + safe
        target[safe] = REDACTED if secret and _hideable(value) else plain(value)


def text(value: str, limit: int = LIMIT) -> str:
    """Return an encodable text of at most `limit` bytes (then an ellipsis), card numbers and URL passwords removed."""
    if len(value) >= 13:
        # Look past the limit, so that a secret lying across it is seen whole.
        value = value[: limit + LIMIT]
        value = _CARD.sub(_without_card, value)
        if "://" in value:
            value = _URL_PASSWORD.sub(rf"\1{REDACTED}@", value)
    if value.isascii():
        return value if len(value) <= limit else value[:limit] + _CUT
    # backslashreplace: a lone surrogate has no UTF-8 form and would fail the whole line.
    encoded = value.encode("utf-8", "backslashreplace")
    cut = _CUT if len(encoded) > limit else ""
    return encoded[:limit].decode("utf-8", "ignore") + cut


def is_harmless(value: str) -> bool:
    """Whether `text` would give this very text back, found out cheaply; False when that is not sure."""
    return len(value) <= _SHORT and "://" not in value and _CARD.search(value) is None


def is_plain_name(key: str) -> bool:
    """Whether `merge` keeps the name and shows what is under it."""
    return _judge(key) == (key, False)


@lru_cache(maxsize=4096)
def _judge(key: str) -> tuple[str, bool]:
    return text(key, 200), _SECRET_KEY.search(key) is not None


def _hideable(value: object) -> bool:
    # `has_token=True` and `password=None` tell no secret, and often are the answer one looks for.
    return value is not None and value is not True and value is not False


def _plain(value: object, depth: int, room: list[int]) -> Any:
    room[0] -= _NODE
    if room[0] <= 0 or depth > _DEPTH:
        return _CUT
    try:
        # In here runs code of the caller (__str__, __class__, items): anything may be raised, and
        # one unprintable element must not cost the rest of the value.
        if isinstance(value, Mapping):
            return _mapping(value, depth, room)
        if isinstance(value, (list, tuple, set, frozenset, deque)):
            return _sequence(value, depth, room)
        return _scalar(value, room)
    except Exception:  # noqa: BLE001 - see above; a log call never raises
        return f"<unprintable {type.__dict__['__name__'].__get__(type(value))}>"


def _mapping(value: Mapping[Any, object], depth: int, room: list[int]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in value.items():
        name = key if type(key) is str else str(_plain(key, _DEPTH, room))
        safe, secret = _judge(name)
        room[0] -= len(safe)
        if room[0] <= 0:
            result[_CUT] = _CUT
            break
        result[safe] = REDACTED if secret and _hideable(item) else _plain(item, depth + 1, room)
    return result


def _sequence(value: Iterable[object], depth: int, room: list[int]) -> list[Any]:
    if isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[0], (str, bytes)):
        # HTTP headers are pairs: (b"authorization", b"Bearer ...").
        name = _scalar(value[0], room)
        if _judge(name)[1] and _hideable(value[1]):
            return [name, REDACTED]
    result: list[Any] = []
    for item in value:
        result.append(_plain(item, depth + 1, room))
        if room[0] <= 0:
            break
    return result


def _scalar(value: object, room: list[int]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _whole(int.__int__(value))
    if isinstance(value, float):
        number = float.__float__(value)
        return number if number - number == 0 else float.__repr__(number)  # NaN and infinities are no JSON
    shown = text(_shown(value, room[0]), room[0])
    room[0] -= len(shown)
    return shown


def _shown(value: object, limit: int) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value[: limit + LIMIT]).decode("utf-8", "backslashreplace")
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str.__str__(str(value))


def _whole(number: int) -> int | str:
    if -(10**12) < number < 10**12:
        return number
    if number.bit_length() > 63:
        # No JSON reader is sure to hold it; past 4300 digits even str() refuses.
        return text(str(number)) if number.bit_length() < 8192 else f"<integer of {number.bit_length()} bits>"
    return REDACTED if _CARD.fullmatch(str(number)) and _luhn(str(number)) else number


def _without_card(found: re.Match[str]) -> str:
    return REDACTED if _luhn(found[0]) else found[0]


def _luhn(digits: str) -> bool:
    numbers = [int(digit) for digit in reversed(digits) if digit.isdigit()]
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return (sum(numbers[::2]) + sum(doubled)) % 10 == 0
