"""The management API: one router a room, one shape of errors."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog.api import router as catalog
from daytwo_server.customers.api import router as customers
from daytwo_server.desk.api import router as desk
from daytwo_server.errors.api import router as errors
from daytwo_server.flags.api import router as flags
from daytwo_server.tickets.api.agents import router as tickets
from daytwo_server.tickets.api.saved_replies import router as saved_replies

api = NinjaAPI(
    title="Daytwo", version="1", openapi_url="/openapi.json", docs_url=None, auth=BearerToken(), urls_namespace="api"
)
api.add_router("", catalog)
api.add_router("", customers)
api.add_router("", errors)
api.add_router("", flags)
api.add_router("", tickets)
api.add_router("", saved_replies)
api.add_router("", desk)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, problem: ValidationError) -> HttpResponse:
    """400 with `{detail, fields{name: [words]}}`."""
    fields: dict[str, list[str]] = {}
    for error in problem.errors:
        name = str(error["loc"][-1]) if error.get("loc") else "body"
        fields.setdefault(name, []).append(_words(error))
    return api.create_response(request, {"detail": "The request is not valid.", "fields": fields}, status=400)


@api.exception_handler(AuthenticationError)
def _no_token(request: HttpRequest, _problem: AuthenticationError) -> HttpResponse:
    detail = "Send a token that is in force as Authorization: Bearer dt_...; Settings > API tokens makes them."
    answer = api.create_response(request, {"detail": detail, "fields": {}}, status=401)
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, problem: HttpError) -> HttpResponse:
    # What ninja cannot parse as JSON it reports in its own words.
    detail = "The body is no JSON." if problem.status_code == 400 and "parse" in str(problem) else str(problem)
    return api.create_response(request, {"detail": detail, "fields": {}}, status=problem.status_code)


def _words(error: dict[str, Any]) -> str:
    if error.get("type") == "value_error":
        return str(error["ctx"]["error"])
    return str(error["msg"])
