"""The search box's language: `key:value` terms, each negated by `!`, and free text. Pure: no database.

    is:unresolved level:error !environment:staging user.email:jane@example.com timeout while paying

A word in quotes is text even if it holds a colon; `key:"two words"` is a value with a space.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LENGTH = 500
MAX_TERMS = 20
STATUSES = ("unresolved", "ignored", "resolved")
STATES = (*STATUSES, "regressed", "unhandled", "handled", "assigned", "unassigned")
LEVELS = ("fatal", "error", "warning", "info", "debug")
_SHORT = {"env": "environment", "assignee": "assigned", "owner": "assigned"}
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


def parse(text: str) -> Query:
    """Take a search text apart; what looks like no term is free text. Raises `BadFilter` for one that is too long."""
    if len(text) > MAX_LENGTH:
        raise BadFilter("query", f"The search is longer than {MAX_LENGTH} characters.")
    terms: dict[Term, None] = {}
    words = []
    for piece in _PIECE.finditer(text.replace("\x00", "")):
        if piece["key"] and piece["value"].strip('"'):
            terms[Term(_SHORT.get(piece["key"], piece["key"]), piece["value"].strip('"'), bool(piece["not"]))] = None
        else:
            words.append(piece["quoted"] if piece["quoted"] is not None else piece[0])
    if len(terms) > MAX_TERMS:
        raise BadFilter("query", f"The search has {len(terms)} terms; {MAX_TERMS} are allowed.")
    return Query(tuple(terms), " ".join(words).strip())
