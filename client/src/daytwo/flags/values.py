"""What a condition understands of an attribute: text, number, moment, version or address; None for anything else."""

from __future__ import annotations

import ipaddress
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Version = tuple[int, int, int, tuple[tuple[int, int, str], ...]]

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
_PLAIN = r"0|[1-9][0-9]{0,17}"
_NAME = rf"(?:{_PLAIN}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"[vV]?({_PLAIN})\.({_PLAIN})\.({_PLAIN})(?:-({_NAME}(?:\.{_NAME})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_LONGEST_VERSION = 256
_RELEASED: tuple[tuple[int, int, str], ...] = ((2, 0, ""),)  # comes after all that lead up to it


def text(value: Any) -> str | None:  # noqa: PLR0911 - one line for each kind
    """As JSON has it, without quotes: true, 5, 2.5; whole floats without a fraction."""
    if isinstance(value, str):
        return str.__str__(value.value) if isinstance(value, Enum) else str.__str__(value)
    if isinstance(value, Enum):
        return text(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return _aware(value).astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, (int, UUID, Decimal, date)):
        return str(value)
    return None


def number(value: Any) -> float | int | None:
    """Of a number, or of a text that is one. NaN and infinities are none."""
    if isinstance(value, (bool, Enum)):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, Decimal):
        value = float(value)
    return value if isinstance(value, float) and math.isfinite(value) else None


def moment(value: Any) -> float | None:
    """Unix seconds of a datetime, a date, RFC 3339 text, or a number of seconds. Without a zone it is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        try:
            return _aware(value).timestamp()
        except (OverflowError, ValueError):
            return None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return None if isinstance(value, bool) else _finite(value)


def version(value: Any) -> Version | None:
    """Of a text such as 1.4.0-rc.1+build, with or without a v before it, in the order of https://semver.org."""
    if not isinstance(value, str) or len(value) > _LONGEST_VERSION:
        return None
    parts = _VERSION.fullmatch(value.strip())
    if parts is None:
        return None
    names = parts[4].split(".") if parts[4] else []
    before = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in names)
    return int(parts[1]), int(parts[2]), int(parts[3]), before or _RELEASED


def address(value: Any) -> Address | None:
    """Of a text. An IPv4 address within an IPv6 one (`::ffff:192.0.2.1`) is that IPv4 address."""
    if not isinstance(value, (str, ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return None
    try:
        found = ipaddress.ip_address(value)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def network(value: Any) -> Network | None:
    """Of a text such as 192.0.2.0/24; an address alone is a network of one."""
    try:
        return ipaddress.ip_network(value, strict=False) if isinstance(value, str) else None
    except ValueError:
        return None


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
