"""`/api/v1/flags/{key}/overrides`."""

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog.api.common import checked_limit, invalid
from daytwo_server.flags.api.common import (
    PRODUCTION,
    actor,
    answering,
    environment_of,
    flag_of,
    project_of,
    reason_in,
    state_of,
)
from daytwo_server.flags.models import Override, State
from daytwo_server.flags.schemas import OverrideIn, OverrideOut, OverridesOut
from daytwo_server.flags.selectors import detail
from daytwo_server.flags.services import overrides, saving

router = Router(tags=["Flags"])
_VIEW, _OVERRIDE = BearerToken("flags.view"), BearerToken("flags.override")


@router.get("/flags/{key}/overrides", response=OverridesOut, auth=_VIEW, by_alias=True)
def list_overrides(
    request: HttpRequest, key: str, project: str = "", environment: str = PRODUCTION, cursor: str = "", limit: int = 50
) -> OverridesOut:
    """Those in force, the latest first."""
    checked_limit(limit)
    found = project_of(project)
    flag = flag_of(found, key)
    state = state_of(flag, environment_of(found, environment))
    if state is None:
        return OverridesOut(results=[], next=None)
    with answering():
        page = detail.overrides(state, cursor=cursor, limit=limit)
    return OverridesOut(results=[_out(one) for one in page.rows], next=page.next)


@router.put("/flags/{key}/overrides", response=OverrideOut, auth=_OVERRIDE, by_alias=True)
def put_override(
    request: HttpRequest, key: str, body: OverrideIn, project: str = "", environment: str = PRODUCTION
) -> OverrideOut:
    """Have the flag be something else for one user or one organization, past its plans, rules and rollout."""
    whose = _whose(body.user_id, body.organization_id)
    if body.enabled is not None and not isinstance(body.enabled, bool):
        raise invalid({"enabled": ["True or false is expected."]})
    if body.variant is not None and not isinstance(body.variant, str):
        raise invalid({"variant": ["A text is expected."]})
    with answering():
        state = _state(request, key, project, environment)
        overrides.put(
            state, **whose, enabled=body.enabled, variant=body.variant or "", expires_at=_moment(body.expires_at),
            by=actor(request), reason=reason_in(body.reason),
        )  # fmt: skip
    return _out(Override.objects.get(state=state, **{"user_id": "", "organization_id": "", **whose}))


@router.delete("/flags/{key}/overrides", response={204: None}, auth=_OVERRIDE)
def delete_override(
    request: HttpRequest,
    key: str,
    project: str = "",
    environment: str = PRODUCTION,
    userId: str = "",  # noqa: N803 - as the reference calls it
    organizationId: str = "",  # noqa: N803 - as above
    reason: str = "",
) -> Status[None]:
    """Let a user or an organization have what everybody gets. 404 when they do already."""
    found = project_of(project)
    state = state_of(flag_of(found, key), environment_of(found, environment))
    whose = {name: value for name, value in (("user_id", userId), ("organization_id", organizationId)) if value}
    removed = None
    with answering():
        if state is not None:
            removed = overrides.remove(state, **whose, by=actor(request), reason=reason)
    if removed is None:
        raise HttpError(404, "There is no such override.")
    return Status(204, None)


def _state(request: HttpRequest, key: str, project: str, environment: str) -> State:
    """Made where nobody said anything of the environment yet."""
    found = project_of(project)
    flag, where = flag_of(found, key), environment_of(found, environment)
    state = state_of(flag, where) or saving.patch(flag, where, {}, by=actor(request)).state
    assert state is not None  # an environment was named
    return state


def _whose(user: Any, organization: Any) -> dict[str, Any]:
    """Ids as texts; whole numbers are ids too."""
    found: dict[str, Any] = {}
    for name, column, value in (("userId", "user_id", user), ("organizationId", "organization_id", organization)):
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise invalid({name: ["An id is expected."]})
        found[column] = str(value)
    return found


def _moment(value: Any) -> dt.datetime | None:
    if value is None:
        return None
    words = "Write a time with its offset from UTC, like 2026-11-23T09:00:00Z."
    try:
        found = dt.datetime.fromisoformat(value)
        moment = found.astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError):
        raise invalid({"expiresAt": [words]}) from None
    if found.tzinfo is None:
        raise invalid({"expiresAt": [words]})
    return moment


def _out(one: Override) -> OverrideOut:
    return OverrideOut(
        user_id=one.user_id or None, organization_id=one.organization_id or None, enabled=one.enabled,
        variant=one.variant or None, expires_at=one.expires_at, by=one.by, created_at=one.created_at,
    )  # fmt: skip
