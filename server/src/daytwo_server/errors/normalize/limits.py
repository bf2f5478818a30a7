"""How large each part of an event may be, and the knife that keeps it so."""

from typing import Any

from daytwo_server.errors.normalize.scalars import CUT, MAX_SHORT, clean, text_of

MAX_TEXT = 8_192  # characters of any one string
MAX_VARIABLE = 1_024  # characters of one string among a frame's local variables
MAX_ITEMS = 250  # entries of any one list or object
MAX_DEPTH = 12  # nesting inside one free-form part (extra, one context, one local variable)
MAX_SECTION = 65_536  # characters of one free-form part together, so that 250 x 8 KB cannot add up


class Trimmer:
    """Copies JSON values within the limits and collects a note for every part that had to be cut."""

    __slots__ = ("_cuts", "_left", "_limit", "notes", "spent")

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.spent = 0  # characters the last tree took
        self._cuts = 0
        self._left = 0
        self._limit = MAX_TEXT

    def note(self, path: str, what: str) -> None:
        """Remember that something at `path` was cut or replaced; a hostile event cannot grow this list without end."""
        if len(self.notes) < 100:
            self.notes.append(f"{path}: {what}")

    def text(self, value: Any, path: str, *, limit: int = MAX_TEXT) -> str | None:
        """`text_of` with a note when the text was longer than `limit`."""
        if type(value) is str and len(value) > limit:
            self.note(path, f"{len(value) - limit} characters cut")
            return clean(value[:limit]) + CUT
        return text_of(value, limit=limit)

    def items(self, value: Any, path: str, *, limit: int = MAX_ITEMS, keep_last: bool = False) -> list[Any]:
        """`value` as a list of at most `limit` entries; anything that is no list becomes an empty one."""
        if not isinstance(value, list):
            return []
        if len(value) <= limit:
            return value
        self.note(path, f"{len(value) - limit} of {len(value)} entries cut")
        return value[-limit:] if keep_last else value[:limit]

    def tree(self, value: Any, path: str, *, limit: int = MAX_TEXT, budget: int = MAX_SECTION) -> Any:
        """A copy of any JSON value, bounded in depth, breadth, text length and total size."""
        self._cuts, self._left, self._limit = 0, budget, limit
        copy = self._copy(value, MAX_DEPTH)
        self.spent = budget - self._left
        if self._cuts:
            self.note(path, f"{self._cuts} parts cut")
        return copy

    def _copy(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self._copy_text(value)
        if kind is dict or kind is list:
            if depth == 0 or self._left <= 0:
                self._cuts += 1
                return CUT
            return self._copy_object(value, depth) if kind is dict else self._copy_list(value, depth)
        if kind is int and value.bit_length() > 64:
            # Neither SQLite nor a browser holds it as a number; as text it can at least be read.
            return text_of(value)
        return value

    def _copy_text(self, value: str) -> str:
        size = len(value)
        self._left -= size
        if size > self._limit or self._left < 0:
            self._cuts += 1
            # Past the budget every text keeps a word or two, so that the shape stays readable.
            return clean(value[: self._limit if self._left >= 0 else 16]) + CUT
        return value if value.isascii() and "\x00" not in value else clean(value)

    def _copy_object(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        for key, inner in value.items():
            if len(copy) == MAX_ITEMS or self._left <= 0:
                self._cuts += len(value) - len(copy)
                break
            self._left -= len(key) + 4
            copy[key if len(key) <= MAX_SHORT and key.isascii() and "\x00" not in key else clean(key[:MAX_SHORT])] = (
                self._copy(inner, depth - 1)
            )
        return copy

    def _copy_list(self, value: list[Any], depth: int) -> list[Any]:
        copy: list[Any] = []
        for inner in value:
            if len(copy) == MAX_ITEMS or self._left <= 0:
                self._cuts += len(value) - len(copy)
                break
            self._left -= 4
            copy.append(self._copy(inner, depth - 1))
        return copy
