"""Full-text search, alike on both stores: all words must occur, the last one may be a beginning.

Words are made here, not by the database, so that `foo_bar`, `example.com` and `Größe` are found the same way on both:
runs of letters and digits, lower case, without accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from django.db import connection

from daytwo_server.core import sql
from daytwo_server.core.models import SearchDocument
from daytwo_server.core.stores import DEFAULT

MAX_WORDS = 500
MAX_WORD_LENGTH = 64
MAX_QUERY_WORDS = 10

_WORD = re.compile(r"[^\W_]+")
_SQLITE = (
    "SELECT d.object_id FROM core_searchwords JOIN core_searchdocument d ON d.id = core_searchwords.rowid "
    "WHERE core_searchwords MATCH %s ORDER BY core_searchwords.rowid DESC LIMIT %s"
)
# Gathered before it is sorted: with the LIMIT in sight PostgreSQL walks the primary key and reads every document.
_POSTGRES = (
    "WITH found AS MATERIALIZED (SELECT id, object_id FROM core_searchdocument "
    "WHERE array_to_tsvector(string_to_array(words, ' ')) @@ %s::tsquery AND kind = %s) "
    "SELECT object_id FROM found ORDER BY id DESC LIMIT %s"
)


def index(kind: str, object_id: int, title: str, body: str = "") -> None:
    """Make one object findable by the words of its title and body, in place of what was known about it before."""
    index_many(kind, [(object_id, title, body)])


def index_many(kind: str, rows: Iterable[tuple[int, str, str]]) -> None:
    """`index` for many (object id, title, body) at once. What did not change is not written."""
    documents = {
        object_id: (kind, object_id, " ".join(_words(f"{title} {body}", MAX_WORDS))) for object_id, title, body in rows
    }
    sql.insert(
        DEFAULT,
        "core_searchdocument",
        ("kind", "object_id", "words"),
        [documents[object_id] for object_id in sorted(documents)],
        on_conflict="(kind, object_id) DO UPDATE SET words = excluded.words "
        "WHERE core_searchdocument.words <> excluded.words",
    )


def remove(kind: str, object_ids: Sequence[int]) -> None:
    """Forget these objects."""
    SearchDocument.objects.filter(kind=kind, object_id__in=object_ids).delete()


def ids(kind: str, query: str, limit: int = 50) -> list[int]:
    """Ids of the objects that have all words of `query`, the last one as a beginning; latest indexed first.

    Any text is a query; one without a letter or digit finds nothing. A single Latin letter is no beginning: too many
    words would have to be gathered for it while somebody types.
    """
    words = _words(query, MAX_QUERY_WORDS)
    if not words:
        return []
    is_beginning = len(words[-1]) > 1 or not words[-1].isascii()
    # Only letters and digits are left, so quotes are safe around them.
    if connection.vendor == "sqlite":
        terms = " AND ".join(f'"{word}"' for word in words) + (" *" if is_beginning else "")
        rows = sql.fetch(DEFAULT, _SQLITE, [f'kind : "{kind}" AND words : ({terms})', limit])
    else:
        terms = " & ".join(f"'{word}'" for word in words) + (":*" if is_beginning else "")
        rows = sql.fetch(DEFAULT, _POSTGRES, [terms, kind, limit])
    return [object_id for (object_id,) in rows]


def _words(text: str, limit: int) -> list[str]:
    """The distinct words in their order, at most `limit`."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    words = dict.fromkeys(match[0][:MAX_WORD_LENGTH] for match in _WORD.finditer(text.casefold()))
    return list(words)[:limit]
