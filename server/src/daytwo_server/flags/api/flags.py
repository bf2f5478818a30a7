"""`/api/v1/flags`: what flags are, how they came to be so, ramps."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog.api.common import checked_limit, invalid
from daytwo_server.core.pages import page
from daytwo_server.flags.api.common import (
    PRODUCTION,
    actor,
    answering,
    environment_of,
    expected,
    flag_of,
    project_of,
    reason_in,
    state_of,
    told,
)
from daytwo_server.flags.models import Change, Flag, Ramp, State
from daytwo_server.flags.schemas import (
    ChangeOut,
    ChangesOut,
    FlagIn,
    FlagOut,
    FlagsOut,
    RampIn,
    RampOut,
)
from daytwo_server.flags.services import archiving, ramps, reverting, saving

router = Router(tags=["Flags"])
_VIEW, _CHANGE = BearerToken("flags.view"), BearerToken("flags.change")
_TOLD_ONLY = frozenset({
    "revision", "killedBy", "killReason", "project", "environment", "createdAt", "changedAt", "lastAskedAt",
})  # fmt: skip


@router.get("/flags", response=FlagsOut, auth=_VIEW, by_alias=True)
def list_flags(
    request: HttpRequest,
    project: str = "",
    environment: str = PRODUCTION,
    archived: bool = False,  # noqa: FBT001, FBT002 - a parameter of the address
    cursor: str = "",
    limit: int = 50,
) -> FlagsOut:
    """The flags in use by key, or the archived ones, as they are in one environment."""
    checked_limit(limit)
    where = environment_of(project_of(project), environment)
    rows = Flag.objects.filter(project=where.project_id, archived_at__isnull=not archived)
    with answering():
        found = page(rows.select_related("project", "owner"), by="key", ascending=True, cursor=cursor, limit=limit)
    states = {one.flag_id: one for one in State.objects.filter(environment=where, flag__in=[f.pk for f in found.rows])}
    return FlagsOut(results=[told(one, where, states.get(one.pk)) for one in found.rows], next=found.next)


@router.get("/flags/{key}", response=FlagOut, auth=_VIEW, by_alias=True)
def get_flag(request: HttpRequest, key: str, project: str = "", environment: str = PRODUCTION) -> FlagOut:
    """One flag as it is in an environment."""
    found = project_of(project)
    flag = flag_of(found, key)
    where = environment_of(found, environment)
    return told(flag, where, state_of(flag, where))


@router.put("/flags/{key}", response={200: FlagOut, 201: FlagOut}, auth=_CHANGE, by_alias=True)
def put_flag(
    request: HttpRequest, key: str, body: FlagIn, project: str = "", environment: str = PRODUCTION
) -> Status[FlagOut]:
    """Create a flag (201) or replace what it is everywhere and in this environment (200).

    What is not named is as it is by default, but for the salt, the description, the owner, the tags and the day by
    which it is to be removed. With `If-Match`, 409 when it is of another revision.
    """
    said, why = _said(body)
    if said.get("key") not in (None, key):
        raise invalid({"key": [f"The address says {key}, and the key of a flag never changes."]})
    said.pop("archived", None)
    found = project_of(project)
    with answering():
        saved = saving.put(
            found, environment, key, said, by=actor(request), reason=why, expected_revision=expected(request)
        )
    where = environment_of(found, environment)
    return Status(201 if saved.created else 200, told(flag_of(found, key), where, saved.state))


@router.patch("/flags/{key}", response=FlagOut, auth=_CHANGE, by_alias=True)
def patch_flag(
    request: HttpRequest, key: str, body: FlagIn, project: str = "", environment: str = PRODUCTION
) -> FlagOut:
    """Change what is named and nothing else; `archived` puts a flag away or brings it back."""
    said, why = _said(body)
    found = project_of(project)
    flag, where = flag_of(found, key), environment_of(found, environment)
    if said.pop("key", key) not in (None, key):
        raise invalid({"key": [f"The key of a flag never changes: it is {key}."]})
    archived = said.pop("archived", None)
    if archived not in (None, True, False):
        raise invalid({"archived": ["True or false is expected."]})
    by = actor(request)
    with answering(), transaction.atomic():
        if archived is False:
            archiving.restore([flag], by=by, reason=why)
        if said or archived is None:
            saving.patch(flag, where, said, by=by, reason=why, expected_revision=expected(request))
        if archived:
            archiving.archive([flag], by=by, reason=why)
    return told(flag_of(found, key), where, state_of(flag, where))


@router.get("/flags/{key}/changes", response=ChangesOut, auth=_VIEW, by_alias=True)
def list_changes(
    request: HttpRequest, key: str, project: str = "", environment: str = "", cursor: str = "", limit: int = 50
) -> ChangesOut:
    """What was changed, the latest first; with an environment only what holds there."""
    checked_limit(limit)
    found = project_of(project)
    rows = Change.objects.filter(flag=flag_of(found, key)).select_related("environment")
    if environment:
        here = environment_of(found, environment)
        rows = rows.filter(Q(environment=here) | Q(environment=None))
    with answering():
        answer = page(rows, by="pk", cursor=cursor, limit=limit)
    return ChangesOut(results=[_change(one) for one in answer.rows], next=answer.next)


@router.post("/flags/{key}/changes/{change_id}/revert", response=FlagOut, auth=_CHANGE, by_alias=True)
def revert_change(request: HttpRequest, key: str, change_id: int, project: str = "", reason: str = "") -> FlagOut:
    """Have what a change changed be as it was. 409 when somebody changed it again since."""
    flag = flag_of(project_of(project), key)
    change = Change.objects.filter(flag=flag, pk=change_id if 0 < change_id < 2**63 else 0).first()
    if change is None:
        raise HttpError(404, "This flag has no such change.")
    with answering():
        reverting.revert(change, by=actor(request), reason=reason)
    where = change.environment or flag.project.environments.order_by("pk").first()
    assert where is not None  # whoever made the flag named one
    return told(flag_of(flag.project, key), where, state_of(flag, where))


@router.get("/flags/{key}/ramp", response=RampOut, auth=_VIEW, by_alias=True)
def get_ramp(request: HttpRequest, key: str, project: str = "", environment: str = PRODUCTION) -> RampOut:
    """The latest ramp, whether it still runs or not."""
    return _ramp_out(_ramp(_state(key, project, environment)))


@router.put("/flags/{key}/ramp", response={201: RampOut}, auth=_CHANGE, by_alias=True)
def start_ramp(
    request: HttpRequest, key: str, body: RampIn, project: str = "", environment: str = PRODUCTION
) -> Status[RampOut]:
    """Raise the rollout step by step from now on."""
    with answering():
        made = ramps.start(
            _state(key, project, environment), body.steps, by=actor(request), reason=reason_in(body.reason)
        )
    return Status(201, _ramp_out(made))


@router.patch("/flags/{key}/ramp", response=RampOut, auth=_CHANGE, by_alias=True)
def change_ramp(
    request: HttpRequest, key: str, body: RampIn, project: str = "", environment: str = PRODUCTION
) -> RampOut:
    """Hold, resume, step back or stop the ramp."""
    verbs: dict[Any, Callable[..., Ramp]] = {
        "hold": ramps.hold, "resume": ramps.resume, "step_back": ramps.step_back, "stop": ramps.stop,
    }  # fmt: skip
    if not isinstance(body.do, str) or body.do not in verbs:
        raise invalid({"do": [f"One of {', '.join(verbs)} is expected."]})
    with answering():
        made = verbs[body.do](_ramp(_state(key, project, environment)), by=actor(request), note=reason_in(body.reason))
    return _ramp_out(made)


def _said(body: FlagIn) -> tuple[dict[str, Any], str]:
    """What was sent, less what is only told and why."""
    said = body.model_dump(by_alias=True, exclude_unset=True)
    why = reason_in(said.pop("reason", None))
    return {name: value for name, value in said.items() if name not in _TOLD_ONLY}, why


def _state(key: str, project: str, environment: str) -> State:
    found = project_of(project)
    flag, where = flag_of(found, key), environment_of(found, environment)
    state = state_of(flag, where)
    if state is None:
        raise HttpError(404, f"Nothing was said yet of {key} in {environment}; PATCH it first.")
    return state


def _ramp(state: State) -> Ramp:
    found = Ramp.objects.filter(state=state).order_by("-pk").first()
    if found is None:
        raise HttpError(404, "There is no ramp; PUT one.")
    return found


def _ramp_out(ramp: Ramp) -> RampOut:
    return RampOut(status=ramp.status, steps=ramp.steps, step=ramp.step, next_at=ramp.next_at, note=ramp.note)


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        id=change.pk, at=change.at, actor=change.by, action=change.action, reason=change.reason,
        environment=change.environment.name if change.environment else None, revision=change.revision,
        before=change.before, after=change.after,
    )  # fmt: skip
