"""The language of every search box: `key:value` terms, each negated by `!`, and free text.

    is:unresolved level:error !environment:staging user.email:jane@example.com timeout while paying

A word in quotes is text even if it holds a colon; `key:"two words"` is a value with a space. What a key means, the
list says: see `narrow`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from daytwo_server.core import search

M = TypeVar("M", bound=Model)
Condition = Callable[[str], Q]

MAX_LENGTH = 500
MAX_TERMS = 20
MAX_FOUND = 1000  # objects that words lead to, the latest known first
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


def known(conditions: Mapping[str, Condition]) -> Callable[[Term], Q]:
    """A `condition` for `narrow` of the keys a list knows; every other key is refused in words."""

    def condition(term: Term) -> Q:
        if term.key not in conditions:
            keys = ", ".join(f"{key}:" for key in conditions)
            raise BadFilter("query", f"There is no filter {term.key}: here; use {keys} or plain words.")
        return conditions[term.key](term.value)

    return condition


@dataclass(frozen=True)
class Language:
    """What the search box of a list understands; see `language`."""

    keys: Mapping[str, Condition]
    words: Condition
    aliases: Mapping[str, str]
    people: frozenset[str]

    def parse(self, text: str) -> Query:
        """Raises `BadFilter` for a text that is too long."""
        return parse(text, self.aliases)

    def narrow(self, found: QuerySet[M], asked: Query, *, me: str = "") -> QuerySet[M]:
        """Those of `found` that meet the whole search. `me` is the e-mail address that "me" stands for.

        Raises `BadFilter` for a key or a value that does not exist.
        """
        mine = (dataclasses.replace(one, value=me) if self._is_me(one) and me else one for one in asked.terms)
        found = narrow(found, mine, known(self.keys))
        return found.filter(self.words(asked.text)) if asked.text else found

    def _is_me(self, term: Term) -> bool:
        return term.value == "me" and term.key in self.people


_languages: dict[str, Language] = {}


def language(
    name: str,
    keys: Mapping[str, Condition],
    *,
    words: Condition,
    aliases: Mapping[str, str] | None = None,
    people: Collection[str] = (),
) -> Language:
    """Say what can be asked of the list `name`: a condition for each key, and one for words.

    `aliases` are other names of keys; the values of the keys `people` are persons, and so may be "me". Every key needs
    its line in docs/reference/search.md.
    """
    _languages[name] = Language(keys, words, aliases or {}, frozenset(people))
    return _languages[name]


def languages() -> Mapping[str, Language]:
    """Of every list that has one, by its name."""
    return dict(_languages)


# ---- Conditions ----


def one_of(key: str, meanings: Mapping[str, Q]) -> Condition:
    """Of a few fixed values, what each means."""

    def condition(value: str) -> Q:
        if value not in meanings:
            *others, last = [f"{key}:{one}" for one in meanings]
            raise BadFilter(key, f"There is no {key}:{value}; use {', '.join(others)} or {last}.")
        return meanings[value]

    return condition


def exactly(field: str) -> Condition:
    """The whole value, or with `*` at its end how it begins, whatever its case."""

    def condition(value: str) -> Q:
        return Q(**{f"{field}__istartswith": value[:-1]}) if value.endswith("*") else Q(**{field: value})

    return condition


def number(key: str, field: str, noun: str) -> Condition:
    """A whole number; `noun` says of what."""

    def condition(value: str) -> Q:
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise BadFilter(key, f"{value} is no number of {noun}.")
        return Q(**{field: int(value)})

    return condition


def since(field: str) -> Condition:
    """From the beginning of a day in the viewer's time zone."""
    return lambda day: Q(**{f"{field}__gte": _midnight("since", day)})


def until(field: str) -> Condition:
    """To the end of a day in the viewer's time zone."""
    return lambda day: Q(**{f"{field}__lt": _midnight("until", day, days=1)})


def _midnight(key: str, text: str, *, days: int = 0) -> dt.datetime:
    try:
        day = dt.date.fromisoformat(text) + dt.timedelta(days=days)
        return timezone.make_aware(dt.datetime.combine(day, dt.time())).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise BadFilter(key, f"{text} is no day; write it like 2026-11-23.") from None


def indexed(kind: str, field: str = "pk") -> Condition:
    """For words: what `core.search` finds of a kind. `field` holds its id."""
    return lambda text: Q(**{f"{field}__among": search.ids(kind, text, MAX_FOUND)})


def parts_of(*fields: str) -> Condition:
    """For words: each is a part of one of these fields. For short tables; `indexed` knows long ones."""

    def condition(text: str) -> Q:
        return all_words(text, lambda word: any_of(Q(**{f"{field}__icontains": word}) for field in fields))

    return condition


def all_words(text: str, meaning: Condition) -> Q:
    """What every word of a text means, together; the first ten count."""
    return functools.reduce(operator.and_, map(meaning, text.split()[: search.MAX_QUERY_WORDS]), Q())


def any_of(conditions: Iterable[Q]) -> Q:
    """One of them at least; of none, nothing."""
    return functools.reduce(operator.or_, conditions, Q(pk__in=()))
