"""`/api/v1/flags/import`."""

import json
from typing import Any

from django.http import HttpRequest
from ninja import Router

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog.api.common import invalid
from daytwo_server.flags.api.common import PRODUCTION, actor, answering, project_of
from daytwo_server.flags.schemas import ImportedOut, SkippedOut
from daytwo_server.flags.services import importing

router = Router(tags=["Flags"])
_FILE = {"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}}


@router.post(
    "/flags/import", response=ImportedOut, auth=BearerToken("flags.change"), by_alias=True, openapi_extra=_FILE
)
def import_flags(
    request: HttpRequest,
    format: str,  # noqa: A002 - a parameter of the address
    project: str = "",
    environment: str = PRODUCTION,
    dryRun: bool = False,  # noqa: FBT001, FBT002, N803 - as above
) -> ImportedOut:
    """Create or replace the flags of a file of another system, which is the body. `format` is unleash, flagd or
    reference. What cannot be said here is named with the reason and left out.
    """
    if format not in importing.FORMATS:
        raise invalid({"format": [f"One of {', '.join(importing.FORMATS)} is expected."]})
    found = project_of(project)
    data = _read(request.body)
    with answering():
        try:
            result = importing.import_flags(found, environment, format, data, by=actor(request), dry_run=dryRun)
        except importing.Unreadable as problem:
            raise invalid({"body": [str(problem)]}) from None
    return ImportedOut(
        imported=result.imported,
        unsupported=[SkippedOut(key=key, reason=reason) for key, reason in result.unsupported.items()],
        notes=[SkippedOut(key=key, reason=reason) for key, reason in result.notes.items()],
    )


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise invalid({"body": ["The file is no JSON."]}) from None
