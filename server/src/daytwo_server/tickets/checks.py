"""What people type, made clean and measured: trimmed and in Unicode's composed form first, counted then. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import TextChoices

from daytwo_server.tickets.models import MAX_KEY, Category, Priority

SUBJECT = (5, 200)  # characters
DESCRIPTION = (20, 5000)
REPLY = (1, 20_000)
RATING_COMMENT = (0, 2000)
MAX_TAGS, MAX_TAG = 20, 50
MAX_METADATA = 500
METADATA = frozenset({"userAgent", "url", "release", "environment", "replayId", "lastEventId", "traceId", "flags"})
# They turn the direction of text around, so that a subject reads as something else than it is.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})

C = TypeVar("C", bound=TextChoices)


class Invalid(ValueError):
    """Something is wrong with what was given: `fields` says what, by name. Answer 400."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(words)}" for name, words in fields.items()))
        self.fields = fields


class Problems:
    """Gathers what is wrong, so that all of it can be said at once."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}

    def add(self, field: str, words: str) -> None:
        self.fields.setdefault(field, []).append(words)

    def raise_any(self) -> None:
        """Raises `Invalid` when there is one."""
        if self.fields:
            raise Invalid(self.fields)

    def subject(self, value: Any, field: str = "subject") -> str:
        """One line."""
        if isinstance(value, str) and any(map(_breaks_a_line, value)):
            self.add(field, "No line breaks or control characters are allowed here.")
            return ""
        return self.text(value, field, *SUBJECT)

    def text(self, value: Any, field: str, least: int, most: int) -> str:
        """Text of `least` to `most` characters; what is optional (`least` 0) may be left out."""
        if value is None and least == 0:
            return ""
        if not isinstance(value, str):
            self.add(field, "This is required." if value is None else "This must be text.")
            return ""
        clean = cleaned(value)
        if not least <= len(clean) <= most:
            self.add(field, f"This must have {least} to {most:,} characters; it has {len(clean):,}.")
        return clean

    def choice(self, value: Any, field: str, among: type[C], default: C | None = None) -> C:
        """One of the values."""
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in among.values:
            said = "This is required: " if value is None else ""
            self.add(field, f"{said}Choose one of {', '.join(among.values)}.")
            return next(iter(among))
        return among(value)

    def category(self, value: Any) -> Category:
        return self.choice(value, "category", Category)

    def priority(self, value: Any) -> Priority:
        return self.choice(value, "priority", Priority, Priority.MEDIUM)

    def rating(self, value: Any) -> int:
        """1 to 5."""
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
            self.add("rating", "Choose a whole number from 1 to 5.")
            return 1
        return value

    def key(self, value: str) -> str:
        """An idempotency key, or none."""
        key = value.strip()
        if len(key) > MAX_KEY or not key.isprintable():
            self.add("Idempotency-Key", f"At most {MAX_KEY} printable characters.")
        return key

    def metadata(self, value: Any) -> dict[str, str]:
        """What the app tells about where the customer was."""
        if value is None:
            return {}
        if not isinstance(value, dict) or not METADATA.issuperset(value) or not all(map(_is_short, value.values())):
            names = ", ".join(sorted(METADATA))
            self.add("metadata", f"An object of texts up to {MAX_METADATA} characters, named {names}.")
            return {}
        return {name: cleaned(words) for name, words in value.items()}


def cleaned(text: str) -> str:
    """Trimmed, composed, lines ended alike, without what no database takes."""
    # NUL and lone surrogates are what PostgreSQL or UTF-8 cannot store.
    whole = text.replace("\x00", "").encode(errors="replace").decode()
    return unicodedata.normalize("NFC", whole.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(text: str, most: int = SUBJECT[1]) -> str:
    """For texts that come from machines, as subjects of mail do: what breaks a line becomes a space."""
    plain = "".join(" " if _breaks_a_line(char) else char for char in cleaned(text))
    return " ".join(plain.split())[:most]


def tags(values: Iterable[str]) -> list[str]:
    """In lower case, each once, sorted. Raises `Invalid`."""
    words = sorted({" ".join(cleaned(value).lower().split()) for value in values})
    if len(words) > MAX_TAGS:
        raise Invalid({"tags": [f"At most {MAX_TAGS} tags, and these are {len(words)}."]})
    if any(not 1 <= len(word) <= MAX_TAG or not word.isprintable() for word in words):
        raise Invalid({"tags": [f"Each tag has 1 to {MAX_TAG} printable characters."]})
    return words


def _breaks_a_line(char: str) -> bool:
    return char in _TURNING or unicodedata.category(char) in _CONTROL


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_METADATA
