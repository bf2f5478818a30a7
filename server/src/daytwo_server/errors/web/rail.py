"""What stands beside every page of an issue. A part without data is left out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from daytwo_server.catalog.selectors import deploy_before
from daytwo_server.customers import selectors as customers
from daytwo_server.errors.models import Issue
from daytwo_server.errors.selectors import facets
from daytwo_server.errors.selectors.facets import Tag
from daytwo_server.flags.selectors import suspects
from daytwo_server.tickets.selectors.beside import of_those_who

DISTRIBUTIONS = 7
CUSTOMERS = 5
AFTER_DEPLOY = dt.timedelta(hours=24)  # an error that began later than that after a deploy has hardly to do with it
_FLAG = "flag."
# What people look at first; then come the team's own tags. The others say little of a cause, and flags stand by
# themselves.
_FIRST = ("release", "environment", "browser", "os", "device.family")
_NEVER = frozenset(
    {"user", "url", "level", "logger", "sdk", "dist", "handled", "transaction", "server_name", "runtime"}
)


def rail(issue: Issue, tags: list[Tag], *, asked: bool) -> dict[str, Any]:
    """Environments, the deploy it began after, the tags that divide most usefully, the customers hit hardest, and if
    `asked` the tickets of those that it happened to.
    """
    environments = next((tag.values for tag in tags if tag.key == "environment"), [])
    names = [value.value for value in environments]
    deploy = deploy_before(issue.project_id, issue.first_seen, within=AFTER_DEPLOY, environments=names)
    affected = facets.affected_customers(issue)
    top = affected[:CUSTOMERS]
    known = customers.customers_by_id(pk for pk, _, _ in top)
    return {
        "environments": names[:5],
        "deploy": deploy,
        "after_deploy": issue.first_seen - deploy.started_at if deploy else None,
        "distributions": [(tag.key, parts(issue, tag)) for tag in _chosen(tags)],
        "flags": suspects.on_events(
            issue.project_id, _flags(tags), since=issue.regressed_at or issue.first_seen, environments=names
        ),
        "customers": [(known[pk], count) for pk, count, _ in top if pk in known],
        "tickets": of_those_who({pk: seen for pk, _, seen in affected}, since=issue.first_seen) if asked else [],
    }


def parts(issue: Issue, tag: Tag) -> list[tuple[str, int]]:
    """The shares of a tag's values. When only some values were read, the rest is named as such."""
    rest = issue.count - tag.total
    return [*tag.parts[:20], ("others", rest)] if tag.cut and rest > 0 else tag.parts


def _flags(tags: list[Tag]) -> dict[str, dict[str, int]]:
    """What the events say of feature flags: values and how many events had each."""
    return {tag.key.removeprefix(_FLAG): dict(tag.parts) for tag in tags if tag.key.startswith(_FLAG)}


def _chosen(tags: list[Tag]) -> list[Tag]:
    by_key = {tag.key: tag for tag in tags if tag.key not in _NEVER and not tag.key.startswith(_FLAG)}
    order = [key for key in _FIRST if key in by_key]
    order += [key for key in by_key if key not in order]
    return [by_key[key] for key in order[:DISTRIBUTIONS]]
