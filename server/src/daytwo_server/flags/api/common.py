"""What the operations on flags share: which project, environment and flag is meant, and what goes wrong."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from ninja.errors import HttpError

from daytwo_server.catalog.api.common import invalid, project_or_400
from daytwo_server.catalog.models import Environment, Project
from daytwo_server.catalog.selectors import projects_to_choose
from daytwo_server.core.pages import BadCursor
from daytwo_server.flags import fields
from daytwo_server.flags.actors import Actor, of_token
from daytwo_server.flags.models import Flag, State
from daytwo_server.flags.schemas import FlagOut
from daytwo_server.flags.services.common import Conflict, Refused

PRODUCTION = "production"
_REVISION = re.compile(r'(?:W/)?"?(\d{1,18})"?')


def actor(request: HttpRequest) -> Actor:
    """The program that asks."""
    return of_token(request.auth)  # type: ignore[attr-defined]


def project_of(slug: str) -> Project:
    """The project that is named, else the only one; 400."""
    if not slug:
        known = projects_to_choose()
        if len(known) != 1:
            names = ", ".join(one for one, _ in known[:10]) or "none yet"
            raise invalid({"project": [f"Name a project by its slug: there are {names}."]})
        slug = known[0][0]
    return project_or_400(slug)


def environment_of(project: Project, name: str) -> Environment:
    """The environment that is named; 400."""
    found = None
    if name.isprintable():
        found = Environment.objects.select_related("project").filter(project=project, name=name).first()
    if found is None:
        raise invalid({"environment": [f"{project.slug} has no environment {name[:64]!r}; a PUT of a flag makes one."]})
    return found


def flag_of(project: Project, key: str) -> Flag:
    """The flag, archived or not; 404."""
    found = None
    if "\x00" not in key:
        found = Flag.objects.select_related("project", "owner").filter(project=project, key=key).first()
    if found is None:
        raise HttpError(404, f"There is no flag {key[:200]!r} in {project.slug}.")
    return found


def state_of(flag: Flag, environment: Environment) -> State | None:
    """What was said of it there; None when nothing was."""
    return State.objects.filter(flag=flag, environment=environment).first()


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """400 with the fields, or 409, for what a service does not do."""
    try:
        yield
    except Refused as problem:
        raise invalid({path or "body": said for path, said in problem.fields.items()}) from None
    except Conflict as problem:
        raise HttpError(409, str(problem)) from None
    except BadCursor as problem:
        raise invalid({"cursor": [str(problem)]}) from None


def expected(request: HttpRequest) -> int | None:
    """The revision of `If-Match`; None without one. 400 for what is none."""
    text = request.headers.get("If-Match", "").strip()
    if text in {"", "*"}:
        return None
    found = _REVISION.fullmatch(text)
    if found is None:
        raise invalid({"If-Match": ["The revision is expected, as GET says it."]})
    return int(found[1])


def reason_in(value: Any) -> str:
    """Why, as it was sent; 400 for what is no text."""
    if value is not None and not isinstance(value, str):
        raise invalid({"reason": ["A text is expected."]})
    return value or ""


def told(flag: Flag, environment: Environment, state: State | None) -> FlagOut:
    """A flag as the API says it."""
    return FlagOut(
        key=flag.key, project=flag.project.slug, environment=environment.name, **_snake(fields.shared_of(flag)),
        **_snake(fields.here_of(state, flag.key)), killed_by=(state.killed_by or None) if state else None,
        kill_reason=(state.kill_reason or None) if state else None, revision=state.revision if state else 0,
        archived=flag.archived_at is not None, created_at=flag.created_at,
        changed_at=state.changed_at if state else None, last_asked_at=state.last_asked_at if state else None,
    )  # fmt: skip


def _snake(found: dict[str, Any]) -> dict[str, Any]:
    return {re.sub(r"([A-Z])", lambda letter: f"_{letter[1].lower()}", name): value for name, value in found.items()}
