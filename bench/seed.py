"""Fill a stopped installation: 100,000 issues, one of them with 100,000 events, 50,000 customers, 1,000 members, 5,000
deploys, 100,000 audit entries, facts and dead jobs, 40,000 counts of what arrived. `python seed.py DATA_DIR [ISSUES EVENTS]`."""

from __future__ import annotations

import datetime as dt
import os
import random
import sys
import uuid
from pathlib import Path

os.environ["DAYTWO_DATA_DIR"] = sys.argv[1]
os.environ["DJANGO_SETTINGS_MODULE"] = "daytwo_server.main.settings"

import django  # noqa: E402 - the settings come first

django.setup()

from django.db import connection, transaction  # noqa: E402

from daytwo_server.accounts.models import Membership, User  # noqa: E402
from daytwo_server.catalog.models import Deploy, Environment, Release  # noqa: E402
from daytwo_server.core import clock, search, sql  # noqa: E402
from daytwo_server.core.models import AuditEntry, Fact, Job  # noqa: E402
from daytwo_server.customers.models import Customer  # noqa: E402
from daytwo_server.errors import prepare  # noqa: E402
from daytwo_server.errors.models import Issue  # noqa: E402
from daytwo_server.errors.services import store_bodies  # noqa: E402

FIXTURE = Path(__file__).resolve().parents[1] / "server/tests/fixtures/sentry/py-django-4.envelope"
WORDS = ["checkout", "booking", "calendar", "invoice", "reminder", "export", "login", "upload", "search", "price"]


def main(issues: int, events: int) -> None:
    chance = random.Random(7)  # noqa: S311 - the same figures every time
    project = int(sql.fetch("default", "SELECT min(id) FROM catalog_project", [])[0][0])
    now = clock.now()
    with transaction.atomic():
        made = Issue.objects.bulk_create([_issue(project, now, chance) for _ in range(issues)], batch_size=1000)
        search.index_many("issue", [(issue.pk, issue.title, f"{issue.culprit} {issue.value}") for issue in made])
        _buckets(made, now, chance)
    with transaction.atomic():
        _events(made[-1], events, now, chance)
    with transaction.atomic():
        _people(now, chance)
        _deploys(project, now, chance)
        _history(now, chance)
        _counts(now, chance)
    if connection.vendor == "postgresql":  # which looks at what came over months by itself
        connection.cursor().execute("ANALYZE")
    print(made[-1].pk)


def _issue(project: int, now: dt.datetime, chance: random.Random) -> Issue:
    seen = now - dt.timedelta(minutes=chance.randint(1, 40_000))
    kind = f"{chance.choice(WORDS).title()}Error"
    value = f"{chance.choice(WORDS)} {chance.randint(1, 9999)} failed in {chance.choice(WORDS)}"
    return Issue(
        project_id=project, type=kind, value=value, title=f"{kind}: {value}",
        culprit=f"{chance.choice(WORDS)}/{chance.choice(WORDS)}.py in {chance.choice(WORDS)}", level="error",
        platform="python", status=chance.choice(["unresolved"] * 6 + ["resolved"] * 3 + ["ignored"]), status_at=seen,
        first_seen=seen - dt.timedelta(days=3), last_seen=seen, count=chance.randint(1, 5000), users=chance.randint(0, 900),
    )  # fmt: skip


def _buckets(issues: list[Issue], now: dt.datetime, chance: random.Random) -> None:
    slot = int(now.timestamp()) // 300
    rows = [(issue.pk, slot - back, chance.randint(1, 9)) for issue in issues for back in chance.sample(range(288), 6)]
    sql.insert("default", "errors_bucket", ("issue_id", "slot", "count"), rows)


def _events(issue: Issue, count: int, now: dt.datetime, chance: random.Random) -> None:
    columns = ("event_id", "project_id", "issue_id", "timestamp", "received", "level", '"release"', "environment",
               '"transaction"', "user_key", "customer_id", "trace_id", "message")  # fmt: skip
    rows = []
    for number in range(count):
        at = now - dt.timedelta(seconds=number)
        rows.append((uuid.UUID(int=chance.getrandbits(128)).hex, issue.project_id, issue.pk, at, at, "error", "1.0",
                     "production", "/checkout", f"{number % 5000:032x}", None, "", issue.value))  # fmt: skip
    sql.insert("default", "errors_event", columns, rows)
    users = [(issue.pk, f"{n:032x}", None, 20, now) for n in range(5000)]
    sql.insert("default", "errors_issueuser", ("issue_id", "user_key", "customer_id", "count", "last_seen"), users)
    facets = [
        (issue.pk, key, f"{key}-{n}", 100, now)
        for key in ("release", "browser", "url", "os", "country", "plan")
        for n in range(200)
    ]
    sql.insert("default", "errors_facet", ("issue_id", "key", "value", "count", "last_seen"), facets)
    slot = int(now.timestamp()) // 300
    sql.insert(
        "default",
        "errors_bucket",
        ("issue_id", "slot", "count"),
        [(issue.pk, slot - n, 300) for n in range(288, 288 * 14)],
    )
    Issue.objects.filter(pk=issue.pk).update(count=count, users=5000, last_seen=now, status="unresolved")
    _body(issue, rows[0][0], now)


def _people(now: dt.datetime, chance: random.Random) -> None:
    names = [f"{chance.choice(WORDS).title()} {chance.choice(WORDS).title()} {number}" for number in range(50_000)]
    users = User.objects.bulk_create(
        [User(email=f"member{number}@example.com", name=names[number], password="!") for number in range(1000)]
    )
    roles = list(Membership.Role)
    Membership.objects.bulk_create([Membership(user=user, workspace_id=1, role=roles[user.pk % 5]) for user in users])
    rows = [(f"id:user-{n}", f"user{n}@example.com", name, now - dt.timedelta(days=9), now - dt.timedelta(seconds=n))
            for n, name in enumerate(names)]  # fmt: skip
    customers = Customer.objects.bulk_create(
        [
            Customer(key=key, email=mail, name=name, first_seen=first, last_seen=last)
            for key, mail, name, first, last in rows
        ],
        batch_size=1000,
    )
    for kind, people in (("user", users), ("customer", customers)):
        after = 0
        while people and kind in search.sources() and (after := search.rebuild(kind, after, 1000)):
            pass


def _deploys(project: int, now: dt.datetime, chance: random.Random) -> None:
    environment, _ = Environment.objects.get_or_create(
        project_id=project, name="production", defaults={"kind": "production", "first_seen": now}
    )
    at = [now - dt.timedelta(hours=number) for number in range(5000)]
    releases = Release.objects.bulk_create(
        [
            Release(project_id=project, version=f"1.{number}.0", first_seen=at[number], last_seen=now)
            for number in range(5000)
        ]
    )
    Deploy.objects.bulk_create(
        [Deploy(project_id=project, environment=environment, release=release, status="succeeded", started_at=moment,
                finished_at=moment) for release, moment in zip(releases, at, strict=True)]
    )  # fmt: skip


def _counts(now: dt.datetime, chance: random.Random) -> None:
    """What intake counted: by the hour as long as it does so, by the day for a month before."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    hours = {this_hour - dt.timedelta(hours=back) for back in range(26)}
    hours |= {this_hour.replace(hour=0) - dt.timedelta(days=back) for back in range(1, 40)}
    rows = [
        (hour, project, kind, f"sentry.python/2.{sdk}.0", outcome, "rate_limited" if outcome == "dropped" else "",
         chance.randint(1, 5000))
        for hour in sorted(hours) for project in range(1, 6) for kind in ("event", "transaction", "log", "session")
        for sdk in range(10) for outcome in ("arrived", "stored", "dropped")
    ]  # fmt: skip
    columns = ("hour", "project_id", "item_type", "sdk", "outcome", "reason", '"count"')
    sql.insert("default", "ingest_itemcount", columns, rows)


def _history(now: dt.datetime, chance: random.Random) -> None:
    entries = [
        AuditEntry(at=now - dt.timedelta(minutes=n), actor_kind="user", actor_id=str(1 + n % 900), action="errors:issue:resolved",
                   ref_kind="issue", ref_id=str(1 + n), before='{"status":"unresolved"}', after='{"status":"resolved"}')
        for n in range(100_000)
    ]  # fmt: skip
    AuditEntry.objects.bulk_create(entries, batch_size=1000)
    facts = [
        Fact(at=now - dt.timedelta(seconds=n), name="IssueTriaged", data='{"issue":1,"change":"resolved"}')
        for n in range(100_000)
    ]
    Fact.objects.bulk_create(facts, batch_size=1000)
    jobs = [Job(kind="core.react", args='{"fact":1}', state="dead", attempts=5, max_attempts=5, error="ValueError: no stock",
                run_at=now - dt.timedelta(seconds=n)) for n in range(100_000)]  # fmt: skip
    Job.objects.bulk_create(jobs, batch_size=1000)


def _body(issue: Issue, event_id: str, now: dt.datetime) -> None:
    payload = FIXTURE.read_bytes().split(b"\n")[2]
    arrival = prepare.Arrival(
        project=issue.project_id, segment=1, sequence=1, received=now.timestamp(), sent_at=None, event_id=event_id,
        client_ip="", sdk="", payload=payload,
    )  # fmt: skip
    store_bodies([prepare.prepare(arrival, scrubbing=True)])


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[2:] or (100_000, 100_000)))
