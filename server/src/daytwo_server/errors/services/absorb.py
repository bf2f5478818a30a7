"""The digest's writes: bodies first, then everything that makes a batch of events visible, in one transaction.

Raw statements where the ORM would need one per event; the number of statements does not grow with the batch.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from django.db import connections, transaction

from daytwo_server.core import facts, live, search, sql
from daytwo_server.core.stores import DEFAULT, TELEMETRY
from daytwo_server.errors.facts import IssueOpened, IssueRegressed
from daytwo_server.errors.grouping import GroupHash
from daytwo_server.errors.models import SLOT_S, Activity, FacetKey, Grouping, Issue
from daytwo_server.errors.prepare import Prepared
from daytwo_server.errors.refs import words
from daytwo_server.errors.services import flagged

LISTS_TOPIC = "errors"
Key = tuple[int, str]  # project and hash
Value = tuple[int, str, str]  # issue, tag, value
Lesson = tuple[int, Prepared, GroupHash]  # a hash to remember: the issue it leads to, and the event it came with
# One row in pg_locks: two digesters on PostgreSQL open new issues one after the other, so that one bug never gets two.
_OPENING_LOCK = 0x44325F49


def store_bodies(events: Sequence[Prepared]) -> list[Prepared]:
    """Write the bodies and return the events that count: first arrivals and replays of a batch cut off by a crash.

    An event id that another spool position already wrote is a duplicate and is left out.
    """
    if not events:
        return []
    rows = [(e.event_id, e.arrival.project, e.arrival.segment, e.arrival.sequence, e.received, e.body) for e in events]
    columns = ("event_id", "project_id", "segment", "sequence", "received", "body")
    # One transaction, or each row would wait for the disk. Sorted: another node may be writing the same events.
    with transaction.atomic(using=TELEMETRY):
        sql.execute_many(
            TELEMETRY,
            f"INSERT INTO errors_eventbody ({', '.join(columns)}) VALUES (%s, %s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            sorted(rows, key=itemgetter(0, 1, 2, 3)),
        )
    ids = [event.event_id for event in events]
    kept = sql.fetch(
        TELEMETRY,
        f"SELECT event_id, project_id, segment, sequence FROM errors_eventbody WHERE event_id IN ({_marks(ids)})",
        ids,
    )
    writers = {(event_id, project): (segment, sequence) for event_id, project, segment, sequence in kept}
    return [e for e in events if writers[e.event_id, e.arrival.project] == (e.arrival.segment, e.arrival.sequence)]


def absorb(events: Sequence[Prepared]) -> list[Prepared]:
    """Group the events into issues and move every counter; call inside a transaction on `default`.

    Returns the events that were new: an event row that is already there changes nothing. Call `announce` with them at
    the end of the transaction.
    """
    if not events:
        return []
    opened = _find_issues(events)
    while not _lock_issues(events):
        opened += _find_issues(events)
    fresh = _insert_events(events)
    firsts = _count_users(fresh)
    flagged.count(fresh, firsts)
    _count_buckets(fresh)
    _count_facets(fresh)
    _reopen(fresh)
    _move_counters(fresh)
    facts.record(*(IssueOpened(issue=i.pk, project=i.project_id, level=i.level) for i in opened))
    return fresh


def announce(fresh: Sequence[Prepared]) -> None:
    """Tell open pages of these events. Last in the transaction: whoever tells of the same issues waits for its end."""
    if fresh:
        live.bump(LISTS_TOPIC, *{issue_topic(event.issue) for event in fresh})


def issue_topic(issue: int) -> str:
    """The live topic of one issue's pages."""
    return f"errors.{issue}"


def _find_issues(events: Sequence[Prepared]) -> list[Issue]:
    """Fill in `issue` of every event; opens the issues nobody has seen and returns them."""
    known = _known_groupings(events)
    if any(_match(event, known) is None for event in events):
        _take_opening_lock()
        known = _known_groupings(events)
    opened, learned = _open_missing(events, known)
    for event in events:
        event.issue = _match(event, known) or 0
        # A later hash led here: next time the first one does. The weaker ones of the event stay unlearned, or every
        # new path through a framework would leave a row.
        first = _keys(event)[0]
        if first not in known:
            known[first] = event.issue
            learned[first] = (event.issue, event, event.grouping.hashes[0])
    _learn(learned)
    if opened:
        _announce(opened)
    return opened


def _open_missing(events: Sequence[Prepared], known: dict[Key, int]) -> tuple[list[Issue], dict[Key, Lesson]]:
    """Open an issue for each event that matches none, also none opened for an event before it. Adds them to `known`."""
    pending: dict[Key, tuple[Issue, Prepared, GroupHash]] = {}
    for event in events:
        if _match(event, known) is None and not any(key in pending for key in _keys(event)):
            issue = _new_issue(event)
            for key, candidate in zip(_keys(event), event.grouping.hashes, strict=True):
                pending[key] = (issue, event, candidate)
    opened = Issue.objects.bulk_create(list({id(issue): issue for issue, _, _ in pending.values()}.values()))
    learned = {key: (issue.pk, event, candidate) for key, (issue, event, candidate) in pending.items()}
    known |= {key: issue for key, (issue, _, _) in learned.items()}
    return opened, learned


def _known_groupings(events: Sequence[Prepared]) -> dict[Key, int]:
    hashes = sorted({candidate.hash for event in events for candidate in event.grouping.hashes})
    rows = sql.fetch(
        DEFAULT,
        f"SELECT project_id, hash, issue_id FROM errors_grouping WHERE hash IN ({_marks(hashes)})",
        hashes,
    )
    return {(project, digest): issue for project, digest, issue in rows}


def _match(event: Prepared, known: Mapping[Key, int]) -> int | None:
    found = (known.get(key) for key in _keys(event))
    return next((issue for issue in found if issue), None)


def _keys(event: Prepared) -> list[Key]:
    return [(event.arrival.project, candidate.hash) for candidate in event.grouping.hashes]


def _take_opening_lock() -> None:
    if connections[DEFAULT].vendor == "postgresql":
        sql.fetch(DEFAULT, "SELECT pg_advisory_xact_lock(%s)", [_OPENING_LOCK])


def _lock_issues(events: Iterable[Prepared]) -> bool:
    """Before anything that hangs on them is written, in one order, so that two digesters never wait for each other.

    False when `errors.retention` removed one of them between the look and the lock.
    """
    if connections[DEFAULT].vendor != "postgresql":  # one writer at a time
        return True
    ids = sorted({event.issue for event in events})
    wanted = f"SELECT id FROM errors_issue WHERE id IN ({_marks(ids)})"
    return len(sql.fetch(DEFAULT, f"{wanted} ORDER BY id FOR NO KEY UPDATE", ids)) == len(ids)


def _new_issue(event: Prepared) -> Issue:
    return Issue(
        project_id=event.arrival.project,
        type=event.type,
        value=event.value,
        title=event.title,
        culprit=event.culprit,
        level=event.level,
        platform=event.platform,
        handled=event.handled,
        status_at=event.received,
        first_seen=event.timestamp,
        last_seen=event.timestamp,
        first_release=event.release,
        explanation=event.grouping.explain(),
    )


def _learn(hashes: Mapping[Key, Lesson]) -> None:
    rows = [
        (project, issue, event.grouping.algorithm, candidate.kind, candidate.hash)
        for (project, _), (issue, event, candidate) in sorted(hashes.items(), key=lambda lesson: lesson[0])
    ]
    columns = ("project_id", "issue_id", "algorithm", "kind", "hash")
    if rows:
        sql.insert(DEFAULT, Grouping._meta.db_table, columns, rows, on_conflict="DO NOTHING")


def _announce(opened: Sequence[Issue]) -> None:
    Activity.objects.bulk_create(
        [Activity(issue=issue, at=issue.first_seen, kind=Activity.Kind.OPENED) for issue in opened]
    )
    search.index_many("issue", [(issue.pk, *words(issue)) for issue in opened])


def _insert_events(events: Sequence[Prepared]) -> list[Prepared]:
    columns = (
        "event_id", "project_id", "issue_id", "timestamp", "received", "level", "release", "environment",
        "transaction", "user_key", "customer_id", "trace_id", "message",
    )  # fmt: skip
    rows = [
        (
            e.event_id, e.arrival.project, e.issue, e.timestamp, e.received, e.level, e.release, e.environment,
            e.transaction, e.user_key, e.customer, e.trace_id, e.value[:200],
        )
        for e in events
    ]  # fmt: skip
    quoted = [f'"{column}"' for column in columns]  # "transaction" and "release" are words of SQL
    new = set(
        sql.insert(DEFAULT, "errors_event", quoted, rows, on_conflict="DO NOTHING", returning="event_id, project_id")
    )
    return [event for event in events if (event.event_id, event.arrival.project) in new]


def _count_users(events: Iterable[Prepared]) -> list[Prepared]:
    """Count each user of each issue; an issue's number of users grows by the rows that are new.

    Returns the first event of each user who had not met the issue before.
    """
    seen: dict[tuple[int, str], list[Prepared]] = defaultdict(list)
    for event in events:
        if event.user_key:
            seen[event.issue, event.user_key].append(event)
    rows = [
        (issue, key, of_user[-1].customer, len(of_user), max(e.timestamp for e in of_user))
        for (issue, key), of_user in sorted(seen.items())
    ]
    now_counted = sql.insert(
        DEFAULT,
        "errors_issueuser",
        ("issue_id", "user_key", "customer_id", "count", "last_seen"),
        rows,
        on_conflict="(issue_id, user_key) DO UPDATE SET count = errors_issueuser.count + excluded.count, "
        "last_seen = excluded.last_seen, customer_id = coalesce(excluded.customer_id, errors_issueuser.customer_id)",
        returning="issue_id, user_key, count",
    )
    # A row that was not there before holds exactly what was just added.
    new = [(issue, key) for issue, key, count in now_counted if count == len(seen[issue, key])]
    added = Counter(issue for issue, _ in new)
    sql.execute_many(
        DEFAULT,
        "UPDATE errors_issue SET users = users + %s WHERE id = %s",
        [(n, issue) for issue, n in sorted(added.items())],
    )
    return [min(seen[one], key=_when) for one in new]


def _count_buckets(events: Iterable[Prepared]) -> None:
    slots = Counter((event.issue, int(event.timestamp.timestamp()) // SLOT_S) for event in events)
    sql.insert(
        DEFAULT,
        "errors_bucket",
        ("issue_id", "slot", "count"),
        [(issue, slot, n) for (issue, slot), n in sorted(slots.items())],
        on_conflict="(issue_id, slot) DO UPDATE SET count = errors_bucket.count + excluded.count",
    )


def _count_facets(events: Iterable[Prepared]) -> None:
    """Count each value of each tag; a tag that is full counts only the values it knows."""
    counts: Counter[Value] = Counter()
    last: dict[Value, dt.datetime] = {}
    for event in events:
        for name, value in event.facets.items():
            if name == "user":  # IssueUser counts them, and a value for each user would be no facet
                continue
            key = (event.issue, name[:64], value[:200])
            counts[key] += 1
            last[key] = max(event.timestamp, last.get(key, event.timestamp))
    full = _full_facets({issue for issue, _, _ in counts})
    sql.execute_many(
        DEFAULT,
        "UPDATE errors_facet SET count = count + %s, last_seen = %s WHERE issue_id = %s AND key = %s AND value = %s",
        [(n, last[key], *key) for key, n in sorted(counts.items()) if key[:2] in full],
    )
    counted = sql.insert(
        DEFAULT,
        "errors_facet",
        ("issue_id", "key", "value", "count", "last_seen"),
        [(*key, n, last[key]) for key, n in sorted(counts.items()) if key[:2] not in full],
        on_conflict="(issue_id, key, value) DO UPDATE SET count = errors_facet.count + excluded.count, "
        "last_seen = excluded.last_seen",
        returning="issue_id, key, value, count",
    )
    # A row that was not there before holds exactly what was just added.
    added = Counter((issue, name) for issue, name, value, count in counted if count == counts[issue, name, value])
    sql.insert(
        DEFAULT,
        "errors_facetkey",
        ("issue_id", "key", '"values"'),
        [(*key, n) for key, n in sorted(added.items())],
        on_conflict='(issue_id, key) DO UPDATE SET "values" = errors_facetkey."values" + excluded."values"',
    )


def _full_facets(issues: Iterable[int]) -> set[tuple[int, str]]:
    ids = sorted(issues)
    if not ids:
        return set()
    rows = sql.fetch(
        DEFAULT,
        f'SELECT issue_id, key FROM errors_facetkey WHERE issue_id IN ({_marks(ids)}) AND "values" >= %s',
        [*ids, FacetKey.MAX_VALUES],
    )
    return {(issue, key) for issue, key in rows}


def _reopen(events: Iterable[Prepared]) -> None:
    """A resolved issue that an event reached after it was resolved is unresolved again: it regressed."""
    latest: dict[int, Prepared] = {}
    for event in events:
        if event.issue not in latest or event.received > latest[event.issue].received:
            latest[event.issue] = event
    resolved = Issue.objects.filter(pk__in=latest, status=Issue.Status.RESOLVED)
    for issue in resolved:  # few: an issue regresses once, then it is unresolved
        event = latest[issue.pk]
        changed = Issue.objects.filter(pk=issue.pk, status=Issue.Status.RESOLVED, status_at__lt=event.received).update(
            status=Issue.Status.UNRESOLVED, status_at=event.received, regressed_at=event.received
        )
        if changed:
            Activity.objects.create(
                issue=issue,
                at=event.received,
                kind=Activity.Kind.REGRESSED,
                before={"status": Issue.Status.RESOLVED},
                after={"status": Issue.Status.UNRESOLVED, "release": event.release},
            )
            facts.record(IssueRegressed(issue=issue.pk, project=issue.project_id, release=event.release))


def _move_counters(events: Iterable[Prepared]) -> None:
    of_issue: dict[int, list[Prepared]] = defaultdict(list)
    for event in events:
        of_issue[event.issue].append(event)
    rows = []
    for issue, its in sorted(of_issue.items()):
        newest, oldest = max(its, key=_when), min(its, key=_when)
        rows.append(
            (
                len(its), newest.timestamp, newest.level, newest.timestamp, newest.release, newest.release,
                newest.timestamp, newest.timestamp, oldest.timestamp, oldest.timestamp, issue,
            )
        )  # fmt: skip
    sql.execute_many(
        DEFAULT,
        "UPDATE errors_issue SET count = count + %s, "
        "level = CASE WHEN %s >= last_seen THEN %s ELSE level END, "
        "last_release = CASE WHEN %s >= last_seen AND %s <> '' THEN %s ELSE last_release END, "
        "last_seen = CASE WHEN %s > last_seen THEN %s ELSE last_seen END, "
        "first_seen = CASE WHEN %s < first_seen THEN %s ELSE first_seen END WHERE id = %s",
        rows,
    )


def _when(event: Prepared) -> dt.datetime:
    return event.timestamp


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))
