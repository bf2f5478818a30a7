"""What the API says about projects, components and deploys, in camelCase."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from daytwo_server.catalog.models import Deploy


class _Out(Schema):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class _In(Schema):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


def _moment(value: Any) -> Any:
    """A time as RFC 3339 writes it. Without an offset nobody knows which moment it is, and numbers have no unit."""
    if value is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) and len(value) > len("2026-11-23") else None
        known = moment is not None and moment.tzinfo is not None
        return moment.astimezone(dt.UTC) if moment is not None and known else _no_moment()
    except (ValueError, OverflowError):
        return _no_moment()


def _no_moment() -> dt.datetime:
    raise ValueError("Write a time with its offset from UTC, like 2026-11-23T09:00:00Z.")


Moment = Annotated[dt.datetime, BeforeValidator(_moment)]
Status = Literal["started", "succeeded", "failed"]


class ProjectOut(_Out):
    """A project. `dsn` is that of its oldest key that lets events in, null when none does."""

    id: int
    name: str
    slug: str
    platform: str
    created_at: dt.datetime
    first_event_at: dt.datetime | None
    archived_at: dt.datetime | None
    dsn: str | None


class ProjectsOut(Schema):
    """All projects of the workspace, by name. They always fit on one page."""

    results: list[ProjectOut]
    next: str | None


class ComponentOut(_Out):
    """A part of the SaaS. `project` is a slug, `owners` are members' e-mail addresses."""

    id: int
    slug: str
    name: str
    description: str
    project: str | None
    team: str
    owners: list[str]
    created_at: dt.datetime
    archived_at: dt.datetime | None


class ComponentsOut(_Out):
    """One page of components by name; `next` is the cursor of the following one."""

    results: list[ComponentOut]
    next: str | None


class ComponentIn(_In):
    """A new component. `project` is a slug, `owners` are members' e-mail addresses."""

    name: str
    description: str = ""
    project: str | None = None
    team: str = ""
    owners: list[str] = []


class ComponentChangeIn(_In):
    """What to change; what is not named stays."""

    name: str = ""
    description: str = ""
    project: str | None = None
    team: str = ""
    owners: list[str] = []
    archived: bool = False


class DeployOut(_Out):
    """A deploy. `project` is the slug; `finishedAt` is null exactly while the status is started."""

    id: int
    project: str
    environment: str
    version: str
    url: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    status: Deploy.Status


class DeploysOut(_Out):
    """One page, the last to start first; `next` is the cursor of the following one."""

    results: list[DeployOut]
    next: str | None


class DeployIn(_In):
    """What a pipeline tells. Without `status` the deploy is over and succeeded; times default to now."""

    project: str
    environment: str
    version: str
    url: str = ""
    started_at: Moment | None = None
    finished_at: Moment | None = None
    status: Status | None = None


class DeployChangeIn(_In):
    """What to change; what is not named stays."""

    status: Status | None = None
    finished_at: Moment | None = None
    url: str | None = None
