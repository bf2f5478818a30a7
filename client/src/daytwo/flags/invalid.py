"""What is wrong with a definition, and the reading of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Invalid(ValueError):
    """A definition that makes no sense: `field` is where (`rules[0].conditions[1].values`), the text says what."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}" if field else words)
        self.field, self.words = field, words


class Fields:
    """A JSON object whose fields are read by name and kind. null counts as absent; `at` is where it stands."""

    __slots__ = ("_place", "found")

    def __init__(self, found: Any, at: str | tuple[Fields, str, int] = "") -> None:
        self.found, self._place = found, at
        if found.__class__ is not dict and not isinstance(found, Mapping):
            raise Invalid(self.at, "an object is expected")

    @property
    def at(self) -> str:
        """Put together when it is asked for: that is, when something is wrong."""
        if isinstance(self._place, str):
            return self._place
        outer, name, number = self._place
        return f"{outer.path(name)}[{number}]"

    def path(self, name: str) -> str:
        return f"{self.at}.{name}" if self.at else name

    def text(self, name: str, default: str | None = None) -> str | None:
        value = self.found.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise Invalid(self.path(name), "a text is expected")
        return value

    def needed(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise Invalid(self.path(name), "missing")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.found.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise Invalid(self.path(name), "true or false is expected")
        return value

    def number(self, name: str) -> float | None:
        value = self.found.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:  # nor NaN
            raise Invalid(self.path(name), "a number is expected")
        return float(value)

    def items(self, name: str) -> list[Any]:
        value = self.found.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise Invalid(self.path(name), "a list is expected")
        return value

    def texts(self, name: str) -> list[str]:
        found = self.items(name)
        if not all(isinstance(one, str) for one in found):
            raise Invalid(self.path(name), "a list of texts is expected")
        return found

    def objects(self, name: str) -> Iterator[Fields]:
        for number, one in enumerate(self.items(name)):
            yield Fields(one, (self, name, number))
