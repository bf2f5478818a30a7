"""What stands beside every page of an issue. A part without data is left out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from daytwo_server.catalog.selectors import deploy_before
from daytwo_server.customers import selectors as customers
from daytwo_server.errors.models import Issue
from daytwo_server.errors.selectors import facets
from daytwo_server.errors.selectors.facets import Tag

DISTRIBUTIONS = 7
AFTER_DEPLOY = dt.timedelta(hours=24)  # an error that began later than that after a deploy has hardly to do with it
# What people look at first; then come flags and the team's own tags. The others say little of a cause.
_FIRST = ("release", "environment", "browser", "os", "device.family")
_NEVER = frozenset(
    {"user", "url", "level", "logger", "sdk", "dist", "handled", "transaction", "server_name", "runtime"}
)


def rail(issue: Issue, tags: list[Tag]) -> dict[str, Any]:
    """Environments, the deploy it began after, the tags that divide most usefully, and the customers hit hardest."""
    environments = next((tag.values for tag in tags if tag.key == "environment"), [])
    names = [value.value for value in environments]
    deploy = deploy_before(issue.project_id, issue.first_seen, within=AFTER_DEPLOY, environments=names)
    top = facets.affected_customers(issue)
    known = customers.customers_by_id(pk for pk, _ in top)
    return {
        "environments": names[:5],
        "deploy": deploy,
        "after_deploy": issue.first_seen - deploy.started_at if deploy else None,
        "distributions": [(tag.key, parts(issue, tag)) for tag in _chosen(tags)],
        "customers": [(known[pk], count) for pk, count in top if pk in known],
    }


def parts(issue: Issue, tag: Tag) -> list[tuple[str, int]]:
    """The shares of a tag's values. When only some values were read, the rest is named as such."""
    rest = issue.count - tag.total
    return [*tag.parts[:20], ("others", rest)] if tag.cut and rest > 0 else tag.parts


def _chosen(tags: list[Tag]) -> list[Tag]:
    by_key = {tag.key: tag for tag in tags if tag.key not in _NEVER}
    order = [key for key in _FIRST if key in by_key]
    order += [key for key in by_key if key.startswith("flag.")]
    order += [key for key in by_key if key not in order]
    return [by_key[key] for key in order[:DISTRIBUTIONS]]
