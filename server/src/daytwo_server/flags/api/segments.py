"""`/api/v1/segments`."""

from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog.api.common import invalid
from daytwo_server.flags.api.common import actor, answering, expected, project_of, reason_in
from daytwo_server.flags.models import Segment
from daytwo_server.flags.schemas import SegmentIn, SegmentOut, SegmentsOut
from daytwo_server.flags.services import segments

router = Router(tags=["Flags"])
_VIEW, _CHANGE = BearerToken("flags.view"), BearerToken("flags.change")


@router.get("/segments", response=SegmentsOut, auth=_VIEW, by_alias=True)
def list_segments(request: HttpRequest, project: str = "") -> SegmentsOut:
    """All segments of a project."""
    found = Segment.objects.filter(project=project_of(project)).order_by("name")
    return SegmentsOut(results=[_out(one) for one in found], next=None)


@router.put("/segments/{name}", response=SegmentOut, auth=_CHANGE, by_alias=True)
def put_segment(request: HttpRequest, name: str, body: SegmentIn, project: str = "") -> SegmentOut:
    """Make a segment, or have it hold under other conditions. With `If-Match`, 409 when it is of another revision."""
    if body.description is not None and not isinstance(body.description, str):
        raise invalid({"description": ["A text is expected."]})
    with answering():
        made = segments.put(
            project_of(project), name, body.conditions, description=body.description, by=actor(request),
            reason=reason_in(body.reason), expected_revision=expected(request),
        )  # fmt: skip
    return _out(made)


@router.delete("/segments/{name}", response={204: None}, auth=_CHANGE)
def delete_segment(request: HttpRequest, name: str, project: str = "", reason: str = "") -> Status[None]:
    """Remove a segment; 400 while a rule names it."""
    found = None
    if "\x00" not in name:
        found = Segment.objects.filter(project=project_of(project), name=name).first()
    if found is None:
        raise HttpError(404, "There is no such segment.")
    with answering():
        segments.remove(found, by=actor(request), reason=reason)
    return Status(204, None)


def _out(one: Segment) -> SegmentOut:
    return SegmentOut(name=one.name, description=one.description, conditions=one.conditions, revision=one.revision)
