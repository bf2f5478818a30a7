"""The language of every search box: `key:value` terms, each negated by `!`, and free text.

    is:unresolved level:error !environment:staging user.email:jane@example.com timeout while paying

A word in quotes is text even if it holds a colon; `key:"two words"` is a value with a space. What a key means, the
list says: see `narrow`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)

MAX_LENGTH = 500
MAX_TERMS = 20
_PIECE = re.compile(
    r"""(?P<not>!?)(?P<key>[A-Za-z_][\w.@-]*):(?!//)(?P<value>"[^"]*"|[^\s"]+) | "(?P<quoted>[^"]*)" | (?P<word>\S+)""",
    re.VERBOSE,
)


class BadFilter(ValueError):
    """A value that does not exist. `field` is the key that holds it, the text says what is allowed."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Term:
    """`key` has the value `value`, or has not."""

    key: str
    value: str
    negated: bool = False

    def __str__(self) -> str:
        value = f'"{self.value}"' if re.search(r"\s", self.value) else self.value
        return f"{'!' if self.negated else ''}{self.key}:{value}"


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody typed, taken apart."""

    terms: tuple[Term, ...] = ()
    text: str = ""

    def __str__(self) -> str:
        # Text that would read as a term was in quotes, and has to be again.
        text = f'"{self.text}"' if self.text and parse(self.text).terms else self.text
        return " ".join([*map(str, self.terms), *filter(None, [text])])

    def without(self, *terms: Term) -> str:
        """The text that says the same less these terms."""
        return str(Query(tuple(one for one in self.terms if one not in terms), self.text))


def parse(text: str, aliases: Mapping[str, str] | None = None) -> Query:
    """Take a search text apart; what looks like no term is free text. `aliases` are other names of keys.

    Raises `BadFilter` for one that is too long.
    """
    if len(text) > MAX_LENGTH:
        raise BadFilter("query", f"The search is longer than {MAX_LENGTH} characters.")
    names = aliases or {}
    terms: dict[Term, None] = {}
    words = []
    for piece in _PIECE.finditer(text.replace("\x00", "")):
        if piece["key"] and piece["value"].strip('"'):
            terms[Term(names.get(piece["key"], piece["key"]), piece["value"].strip('"'), bool(piece["not"]))] = None
        else:
            words.append(piece["quoted"] if piece["quoted"] is not None else piece[0])
    if len(terms) > MAX_TERMS:
        raise BadFilter("query", f"The search has {len(terms)} terms; {MAX_TERMS} are allowed.")
    return Query(tuple(terms), " ".join(words).strip())


def narrow(found: QuerySet[M], terms: Iterable[Term], condition: Callable[[Term], Q]) -> QuerySet[M]:
    """Those of `found` that meet every term. `condition` says what a term asks, leaving its negation aside.

    Raises `BadFilter`, as `condition` may for a value that does not exist.
    """
    for term in terms:
        if "\x00" in term.value:  # PostgreSQL takes no such text, not even to compare with
            raise BadFilter(term.key, "No value holds a NUL character.")
        meets = condition(term)
        found = found.exclude(meets) if term.negated else found.filter(meets)
    return found


def known(conditions: Mapping[str, Callable[[str], Q]]) -> Callable[[Term], Q]:
    """A `condition` for `narrow` of the keys a list knows; every other key is refused in words."""

    def condition(term: Term) -> Q:
        if term.key not in conditions:
            keys = ", ".join(f"{key}:" for key in conditions)
            raise BadFilter("query", f"There is no filter {term.key}: here; use {keys} or plain words.")
        return conditions[term.key](term.value)

    return condition
