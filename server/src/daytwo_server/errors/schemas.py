"""What the API says about errors, in camelCase."""

import datetime as dt
from typing import Any, Literal

from ninja import Schema
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel


class _Out(Schema):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class IssueOut(_Out):
    """An issue. `project` is the slug, `users` how many different users ran into it."""

    id: int
    short_id: str
    title: str
    culprit: str
    type: str
    value: str
    level: str
    status: Literal["unresolved", "ignored", "resolved"]
    count: int
    users: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    project: str


class IssueDetailOut(IssueOut):
    """An issue with everything known of it. `assignee` is an e-mail address; `url` is the page for people."""

    assignee: str | None
    regressed_at: dt.datetime | None
    first_release: str
    last_release: str
    explanation: dict[str, Any]
    url: str


class IssuesOut(_Out):
    """One page; `next` is the cursor of the following one."""

    results: list[IssueOut]
    next: str | None


class EventOut(_Out):
    """One occurrence, as lists show it. Empty texts are things the SDK did not say."""

    event_id: str
    timestamp: dt.datetime
    received: dt.datetime
    message: str
    level: str
    release: str
    environment: str
    transaction: str
    trace_id: str
    customer_id: int | None


class EventsOut(_Out):
    """One page, latest first; `next` is the cursor of the following one."""

    results: list[EventOut]
    next: str | None


class IssueRefOut(_Out):
    """Which issue an event belongs to."""

    id: int


class EventDetailOut(_Out):
    """An event as its SDK sent it, scrubbed, and its issue."""

    event: dict[str, Any]
    issue: IssueRefOut


class IssueChangeIn(Schema):
    """What to change; what is not named stays. `assignee` is a member's e-mail address, or null for nobody."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["resolved", "ignored", "unresolved"] = "unresolved"
    assignee: str | None = None
