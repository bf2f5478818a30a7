"""Flags for sentences about them: made by the services, so that they are as people would have made them."""

from __future__ import annotations

from typing import Any

import make

from daytwo_server.catalog.models import Environment, Project
from daytwo_server.flags.actors import Actor
from daytwo_server.flags.models import Flag, State
from daytwo_server.flags.selectors import snapshots
from daytwo_server.flags.services import saving

ALICE = Actor("Alice")


def place(name: str = "production") -> Environment:
    """An environment of a project of its own."""
    return make.environment(make.project(), name)


def flag(where: Environment, key: str = "new-checkout", **body: Any) -> saving.Saved:
    """A flag that says in this environment what `body` does, in the words of the API."""
    return saving.put(where.project, where, key, body, by=ALICE)


def change(where: Environment, key: str = "new-checkout", **fields: Any) -> saving.Saved:
    """The same flag, changed."""
    return saving.patch(found(where.project, key), where, fields, by=ALICE)


def found(project: Project, key: str = "new-checkout") -> Flag:
    return Flag.objects.get(project=project, key=key)


def state(where: Environment, key: str = "new-checkout") -> State:
    return State.objects.get(environment=where, flag__key=key)


def is_on(where: Environment, key: str = "new-checkout", **context: Any) -> bool:
    """What the evaluator answers from the snapshot of now."""
    return snapshots.ruleset(where.pk).evaluate(key, context).enabled
