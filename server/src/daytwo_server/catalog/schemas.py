"""What the API says about projects, in camelCase."""

import datetime as dt

from ninja import Schema
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel


class ProjectOut(Schema):
    """A project. `dsn` is that of its oldest active key, null when all are switched off."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)

    id: int
    name: str
    slug: str
    platform: str
    created_at: dt.datetime
    first_event_at: dt.datetime | None
    dsn: str | None


class ProjectsOut(Schema):
    """All projects of the workspace, by name."""

    projects: list[ProjectOut]
