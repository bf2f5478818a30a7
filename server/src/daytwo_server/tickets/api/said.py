"""What agents and their programs say by the API: JSON, or a form with files."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.params.models import Body, BodyModel

from daytwo_server.catalog.api.common import invalid
from daytwo_server.tickets.api.customers.bodies import body_of
from daytwo_server.tickets.api.customers.refusal import Refusal
from daytwo_server.tickets.files import File

_FILES = "attachments"


def files_of(request: HttpRequest) -> list[File]:
    """The files that came with what was `Said`."""
    found: list[File] = request.said_files  # type: ignore[attr-defined]
    return found


class _SaidModel(BodyModel):
    @classmethod
    def get_request_data(cls, request: HttpRequest, _api: Any, _path_params: dict[str, Any]) -> dict[str, Any]:
        """The words; the files stay beside them. Answers 400 and 413 for what cannot be read.

        Ninja's own way reads the body at once, which Django holds to the limit of forms.
        """
        try:
            body, files, problems = body_of(request)
        except Refusal as problem:
            raise HttpError(problem.status, str(problem)) from None
        if problems.fields:
            raise invalid(problems.fields)
        is_form = request.content_type == "multipart/form-data"  # whose empty fields are left out
        given = {name: value for name, value in body.items() if name != _FILES and not (is_form and value == "")}
        request.said_files = files  # type: ignore[attr-defined]
        name = getattr(cls, "__read_from_single_attr__", None)
        return {name: given} if name else given


class Said(Body):  # type: ignore[misc]
    """A body with words of people, and files."""

    _model = _SaidModel

    @classmethod
    def _param_source(cls) -> str:
        return "body"
