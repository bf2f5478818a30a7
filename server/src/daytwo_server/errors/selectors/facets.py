"""How an issue's events divide: by tag, and by user."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from daytwo_server.core import sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.errors.models import Facet, Issue, IssueUser

MAX_KEYS = 100
MAX_VALUES = 500
MAX_USERS = 2000

# Each step asks the index for the next key: as quick for a tag with a million values as for one with three.
_KEYS = """
WITH RECURSIVE keys (name) AS (
    SELECT min(key) FROM errors_facet WHERE issue_id = %s
    UNION ALL
    SELECT (SELECT min(key) FROM errors_facet WHERE issue_id = %s AND key > keys.name) FROM keys
    WHERE keys.name IS NOT NULL
) SELECT name FROM keys WHERE name IS NOT NULL LIMIT %s
"""
_VALUES = "SELECT key, value, count, last_seen FROM errors_facet WHERE issue_id = %s AND key = %s LIMIT %s"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a tag, and how many events have it."""

    value: str
    count: int
    last_seen: dt.datetime


@dataclass(slots=True)
class Tag:
    """A tag's values, most frequent first. Past `MAX_VALUES` values it is `cut`: some are not here."""

    key: str
    values: list[Value] = field(default_factory=list)

    @property
    def cut(self) -> bool:
        return len(self.values) >= MAX_VALUES

    @property
    def total(self) -> int:
        return sum(value.count for value in self.values)

    @property
    def parts(self) -> list[tuple[str, int]]:
        return [(value.value, value.count) for value in self.values]


def tags(issue_id: int) -> list[Tag]:
    """The tags of an issue by name, with their values. Two statements, whatever there is."""
    keys = [name for (name,) in sql.fetch(DEFAULT, _KEYS, [issue_id, issue_id, MAX_KEYS])]
    if not keys:
        return []
    # A SELECT with a LIMIT stands in a UNION only inside another one.
    union = " UNION ALL ".join([f"SELECT * FROM ({_VALUES}) AS t" for _ in keys])
    rows = Facet.objects.raw(  # raw() turns SQLite's text back into times
        f"SELECT 0 AS id, u.* FROM ({union}) AS u",
        [parameter for key in keys for parameter in (issue_id, key, MAX_VALUES)],
    )
    found = {key: Tag(key) for key in keys}
    for row in rows:
        found[row.key].values.append(Value(row.value, row.count, row.last_seen))
    for tag in found.values():
        tag.values.sort(key=lambda value: (-value.count, value.value))
    return list(found.values())


def affected_customers(issue: Issue) -> list[tuple[int, int, dt.datetime]]:
    """(customer id, events, last seen) of those who ran into it, those hit hardest first. Of an issue with more than
    `MAX_USERS` users a sample. One query.
    """
    # In the order of the index, which is that of a hash: a part of it is as good as drawn by lot.
    users = IssueUser.objects.filter(issue=issue.pk).order_by("user_key")
    rows = users.values_list("customer_id", "count", "last_seen")[:MAX_USERS]
    known = [(customer, count, seen) for customer, count, seen in rows if customer is not None]
    return sorted(known, key=lambda row: -row[1])
