"""Full-text search, alike on both stores: all words must occur, the last one may be a beginning.

Words are made here, not by the database, so that `foo_bar`, `example.com` and `Größe` are found the same way on both:
runs of letters and digits, lower case, without accents.

What can be found of a kind, its room says once, by `source`; its services then call `refresh` in the transaction that
changes it, and everything that is there already is indexed after an upgrade (`desk.jobs`).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from daytwo_server.core import sql
from daytwo_server.core.models import SearchDocument
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.stores import DEFAULT

MAX_WORDS = 500
MAX_WORD_LENGTH = 64
MAX_QUERY_WORDS = 10
MAX_TITLE = 200

_WORD = re.compile(r"[^\W_]+")
_SQLITE = (
    "SELECT d.object_id FROM core_searchwords JOIN core_searchdocument d ON d.id = core_searchwords.rowid "
    "WHERE core_searchwords MATCH %s ORDER BY core_searchwords.rowid DESC LIMIT %s"
)
# The query stands aside: for a word that PostgreSQL knows to be common it would read every document, which is slower
# than the index. And what is found is gathered before it is sorted (OFFSET 0): with the LIMIT in sight it would walk
# the primary key instead, through every document.
_ASKED = "WITH asked AS MATERIALIZED (SELECT %s::tsquery AS query)"
_MATCH = "array_to_tsvector(string_to_array(words, ' ')) @@"
_HAVING = f"FROM core_searchdocument, asked WHERE {_MATCH} query"
_POSTGRES = (
    f"{_ASKED} SELECT object_id FROM (SELECT object_id {_HAVING} AND kind = %s OFFSET 0) AS found "
    "ORDER BY object_id DESC LIMIT %s"
)
# Of a word that many have, the index gathers a hundred thousand to find the latest thousand: reading the latest is ten
# times faster, unless they are long. Whether it is one is asked of the very latest.
_LATEST = (
    "(SELECT object_id, words FROM core_searchdocument WHERE kind = %s ORDER BY object_id DESC LIMIT %s) AS latest"
)
_SAMPLE = f"SELECT count(*) FILTER (WHERE {_MATCH} %s::tsquery), avg(length(words)) FROM {_LATEST}"
_FIRST = f"SELECT object_id FROM {_LATEST} WHERE {_MATCH} %s::tsquery ORDER BY object_id DESC LIMIT %s"
_SAMPLED, _COMMON, _SHORT = 40, 10, 400  # documents, how many of them have a common word, characters
_GATHER = f"{_ASKED}, found AS MATERIALIZED (SELECT id, kind {_HAVING}) "
# Of each kind the latest with the words and the first by title. PostgreSQL gathers no more than ids: of a word that is
# everywhere there are a hundred thousand.
_FIND = "{gather}SELECT id, kind, object_id, title FROM core_searchdocument WHERE id IN ({parts})"
_TITLED = (
    "SELECT id FROM (SELECT id FROM core_searchdocument WHERE kind = %s AND title{collation} >= %s "
    "AND title{collation} < %s ORDER BY title{collation}, id DESC LIMIT %s) AS titled"
)
_SQLITE_PART = (
    "SELECT id FROM (SELECT rowid AS id FROM core_searchwords WHERE core_searchwords MATCH %s "
    "ORDER BY rowid DESC LIMIT %s) AS worded UNION " + _TITLED.format(collation="")
)
_POSTGRES_PART = (
    "SELECT id FROM (SELECT id FROM found WHERE kind = %s ORDER BY id DESC LIMIT %s) AS worded UNION "
    + _TITLED.format(collation=' COLLATE "C"')
)
_LAST = chr(0x10FFFF)  # after every character of a title
EXACT, BEGINNING, WORDS = range(3)


@dataclass(frozen=True, slots=True)
class Hit:
    """An object that was found, and how well: by its whole title, its title's beginning, or its words."""

    kind: str
    object_id: int
    rank: int


@dataclass(frozen=True)
class Source:
    """How the objects of a kind become findable; see `source`."""

    rows: Callable[[], models.QuerySet[Any]]
    text: Callable[[Any], tuple[str, str]]
    version: int


_sources: dict[str, Source] = {}


def source(
    kind: str,
    rows: Callable[[], models.QuerySet[Any]],
    text: Callable[[Any], tuple[str, str]],
    *,
    version: int = 1,
) -> None:
    """Make the objects of a kind findable: `rows` are all that shall be, `text` is title and further words of one.

    A new `version` has everything of the kind indexed again; raise it when `text` changes. Rows need integer keys.
    """
    _sources[kind] = Source(rows, text, version)


def sources() -> Mapping[str, Source]:
    """Every kind that can be found."""
    return dict(_sources)


def refresh(kind: str, object_ids: Collection[int]) -> None:
    """Index these objects as they are now, in the current transaction; those that shall not be found are forgotten.

    Two statements however many there are, and a third when some are forgotten.
    """
    if not object_ids:
        return
    known = _sources[kind]
    found = [(row.pk, *known.text(row)) for row in _among(known)(sorted(object_ids))]
    if found:
        index_many(kind, found)
    if gone := set(object_ids) - {row[0] for row in found}:
        remove(kind, sorted(gone))


@functools.cache
def _among(known: Source) -> Prepared[Any]:
    return Prepared(lambda pks: known.rows().filter(pk__in=pks))


def rebuild(kind: str, after: int, limit: int) -> int | None:
    """Index the next `limit` objects of a kind whose id is greater than `after`, and forget those in between that are
    gone. Returns the id to go on after, None at the end. Running it again changes nothing. Needs a transaction.
    """
    known = _sources[kind]
    # Locked (SQLite has one writer anyway): what somebody erases meanwhile must not be indexed as it was before.
    found = known.rows().select_for_update(of=("self",), no_key=True).filter(pk__gt=after)
    rows = list(found.order_by("pk")[:limit])
    index_many(kind, [(row.pk, *known.text(row)) for row in rows])
    more = len(rows) == limit
    documents = SearchDocument.objects.filter(kind=kind, object_id__gt=after)
    if more:
        documents = documents.filter(object_id__lte=rows[-1].pk)
    # Compared here: a condition that names a thousand keys is slower than reading them.
    gone = set(documents.values_list("object_id", flat=True)) - {row.pk for row in rows}
    remove(kind, sorted(gone))
    return rows[-1].pk if more else None


def index(kind: str, object_id: int, title: str, body: str = "") -> None:
    """Make one object findable by the words of its title and body, in place of what was known about it before."""
    index_many(kind, [(object_id, title, body)])


def index_many(kind: str, rows: Iterable[tuple[int, str, str]]) -> None:
    """`index` for many (object id, title, body) at once. What did not change is not written."""
    documents = {
        object_id: (kind, object_id, " ".join(_distinct(f"{title} {body}", MAX_WORDS)), title_of(title))
        for object_id, title, body in rows
    }
    sql.insert(
        DEFAULT,
        "core_searchdocument",
        ("kind", "object_id", "words", "title"),
        [documents[object_id] for object_id in sorted(documents)],
        on_conflict="(kind, object_id) DO UPDATE SET words = excluded.words, title = excluded.title "
        "WHERE core_searchdocument.words <> excluded.words "
        "OR coalesce(core_searchdocument.title, '') <> excluded.title",
    )


def remove(kind: str, object_ids: Sequence[int]) -> None:
    """Forget these objects."""
    for chunk in sql.batches(object_ids, sql.MAX_PARAMETERS // 2):
        SearchDocument.objects.filter(kind=kind, object_id__in=chunk).delete()


def ids(kind: str, query: str, limit: int = 50) -> list[int]:
    """Ids of the objects that have all words of `query`, the last one as a beginning; the latest first.

    Any text is a query; one without a letter or digit finds nothing. A single Latin letter is no beginning: too many
    words would have to be gathered for it while somebody types.
    """
    words = _distinct(query, MAX_QUERY_WORDS)
    if not words:
        return []
    if connection.vendor == "sqlite":
        rows = sql.fetch(DEFAULT, _SQLITE, [_fts5(kind, words), limit])
    else:
        rows = _postgres(kind, _tsquery(words), limit)
    return [object_id for (object_id,) in rows]


def _postgres(kind: str, query: str, limit: int) -> list[tuple[int]]:
    if limit > _SAMPLED:
        [(common, length)] = sql.fetch(DEFAULT, _SAMPLE, [query, kind, _SAMPLED])
        if common >= _COMMON and length <= _SHORT:
            rows = sql.fetch(DEFAULT, _FIRST, [kind, 2 * limit * _SAMPLED // _COMMON, query, limit])
            if len(rows) == limit:
                return rows
    return sql.fetch(DEFAULT, _POSTGRES, [query, kind, limit])


def find(kinds: Sequence[str], query: str, limit: int = 5) -> list[Hit]:
    """The best objects of several kinds, at most some `limit` of each: first those with this title, then those whose
    title begins so, then those with all the words; latest indexed first among equals. One statement for all kinds.
    """
    title, words = title_of(query), _distinct(query, MAX_QUERY_WORDS)
    if not (kinds and words):
        return []
    sqlite = connection.vendor == "sqlite"
    gather, part = ("", _SQLITE_PART) if sqlite else (_GATHER, _POSTGRES_PART)
    parameters: list[Any] = [] if sqlite else [_tsquery(words)]
    for kind in kinds:
        parameters += [_fts5(kind, words) if sqlite else kind, limit, kind, title, title + _LAST, limit]
    statement = _FIND.format(gather=gather, parts=" UNION ".join([part] * len(kinds)))
    rows = sql.fetch(DEFAULT, statement, parameters)
    rows.sort(key=lambda row: (_rank(row[3], title), -row[0]))
    return [Hit(kind, object_id, _rank(found, title)) for _, kind, object_id, found in rows]


def among(objects: Collection[tuple[str, int]], query: str) -> list[Hit]:
    """Those of a few (kind, id) that have the words of `query`, as `find` would find them among everything."""
    title, words = title_of(query), _distinct(query, MAX_QUERY_WORDS)
    if not (objects and words):
        return []
    *whole, last = words
    documents = SearchDocument.objects.filter(
        kind__in={kind for kind, _ in objects}, object_id__in={object_id for _, object_id in objects}
    )
    hits = []
    for kind, object_id, text, found in documents.values_list("kind", "object_id", "words", "title"):
        own = text.split(" ")
        ends = any(word.startswith(last) for word in own) if _is_beginning(last) else last in own
        if (kind, object_id) in objects and ends and set(whole).issubset(own):
            hits.append(Hit(kind, object_id, _rank(found, title)))
    return hits


def _rank(found: str | None, title: str) -> int:
    return EXACT if found == title else BEGINNING if found and found.startswith(title) else WORDS


def title_of(text: str) -> str:
    """A title in the form in which titles are compared: its words, one space between them."""
    return " ".join(_words(text))[:MAX_TITLE]


def _fts5(kind: str, words: Sequence[str]) -> str:
    # Only letters and digits are left, so quotes are safe around them.
    terms = " AND ".join(f'"{word}"' for word in words) + (" *" if _is_beginning(words[-1]) else "")
    return f'kind : "{kind}" AND words : ({terms})'


def _tsquery(words: Sequence[str]) -> str:
    return " & ".join(f"'{word}'" for word in words) + (":*" if _is_beginning(words[-1]) else "")


def _is_beginning(word: str) -> bool:
    return len(word) > 1 or not word.isascii()


def _distinct(text: str, limit: int) -> list[str]:
    """The distinct words in their order, at most `limit`."""
    return list(dict.fromkeys(_words(text)))[:limit]


def _words(text: str) -> Iterable[str]:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    return (match[0][:MAX_WORD_LENGTH] for match in _WORD.finditer(text.casefold()))
