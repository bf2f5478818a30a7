"""Tables for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def inert(text: str) -> str:
    """An apostrophe before what would be a formula: the file may hold what strangers named things."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """The rows as CSV. Texts are inert; numbers stay numbers, and None is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerows([inert(value) if isinstance(value, str) else value for value in row] for row in rows)
    return buffer.getvalue()
