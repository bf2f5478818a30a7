"""Paging by position instead of by number: stable while rows arrive, and as fast on page 1000 as on page 1."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

M = TypeVar("M", bound=models.Model)

_LONGEST_CURSOR = 1000
_BIGINT = 2**63


class BadCursor(ValueError):
    """The cursor is not one that `page` gave out for this list. Answer 400."""

    def __init__(self) -> None:
        super().__init__("This page link is not valid any more; start from the first page.")


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows, and the cursors of the neighbouring pages, None where there is none."""

    rows: list[M]
    next: str | None
    previous: str | None


class _Position(msgspec.Struct, array_like=True):
    value: int | float | str
    pk: int
    backwards: bool


def page(
    queryset: models.QuerySet[M], *, by: str, cursor: str | None = "", limit: int = 50, ascending: bool = False
) -> Page[M]:
    """Rows with the greatest `by` first, and among equal ones the newest id; `ascending` turns both round.

    Raises `BadCursor`.

    `by` is a field or annotation that is never NULL: text, a number or a time. Rows need an integer primary key.
    The cursor is opaque but not secret: it holds the position, so the queryset alone decides what may be seen.
    """
    position = _decode(cursor) if cursor else None
    backwards = position is not None and position.backwards
    if position is not None:
        queryset = queryset.filter(_beyond(by, _value(queryset, by, position), position, up=backwards != ascending))
    order = (by, "pk") if backwards != ascending else (f"-{by}", "-pk")
    rows = list(queryset.order_by(*order)[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, position is not None)
    return Page(
        rows,
        _encode(rows[-1], by, backwards=False) if rows and has_next else None,
        _encode(rows[0], by, backwards=True) if rows and has_previous else None,
    )


def first_page(rows: list[M], *, by: str, limit: int, ascending: bool = False) -> Page[M]:
    """The first page, of rows that were read in that order: `limit` and one more."""
    more, rows = len(rows) > limit, rows[:limit]
    return Page(rows, _encode(rows[-1], by, backwards=False) if more else None, None)


def _beyond(by: str, value: Any, position: _Position, *, up: bool) -> Q:
    way = "gt" if up else "lt"
    # The first condition says nothing new; it lets both databases start in the index at the position.
    return Q(**{f"{by}__{way}e": value}) & (Q(**{f"{by}__{way}": value}) | Q(**{f"pk__{way}": position.pk}))


def _value(queryset: models.QuerySet[Any], by: str, position: _Position) -> Any:
    annotation, meta = queryset.query.annotations.get(by), queryset.model._meta
    field = annotation.output_field if annotation is not None else meta.pk if by == "pk" else meta.get_field(by)
    field = getattr(field, "output_field", field)  # what a generated column holds
    try:
        value = field.to_python(position.value)
        if isinstance(value, dt.datetime):
            if value.tzinfo is None:
                raise BadCursor
            # Databases compare in UTC: there the calendar's first and last day may be outside of it.
            value = value.astimezone(dt.UTC)
    except (ValidationError, ValueError, TypeError, OverflowError):
        raise BadCursor from None
    if isinstance(value, int) and not -_BIGINT <= value < _BIGINT:
        raise BadCursor
    return value


def _encode(row: models.Model, by: str, *, backwards: bool) -> str:
    value = getattr(row, by)
    position = _Position(value.isoformat() if isinstance(value, dt.date) else value, row.pk, backwards)
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def _decode(cursor: str) -> _Position:
    if len(cursor) > _LONGEST_CURSOR:
        raise BadCursor
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"==", altchars=b"-_", validate=False)
        position = msgspec.json.decode(raw, type=_Position)
    except (msgspec.MsgspecError, UnicodeError, binascii.Error, ValueError):
        raise BadCursor from None
    numbers = [position.pk, *([position.value] if isinstance(position.value, int) else [])]
    if any(not -_BIGINT <= number < _BIGINT for number in numbers) or "\x00" in str(position.value):
        raise BadCursor
    return position
