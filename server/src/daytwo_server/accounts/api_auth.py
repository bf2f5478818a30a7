"""Bearer tokens for the management API."""

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer

from daytwo_server.accounts import permissions, services
from daytwo_server.accounts.models import ApiToken


class BearerToken(HttpBearer):
    """`auth=BearerToken("projects.view")` on an operation: 401 without a token in force, 403 when it may not do that.

    Without an action any token in force comes in, and the operation asks `demand(request.auth, ...)` itself.
    Raises `UnknownActionError` at import.
    """

    def __init__(self, action: str = "") -> None:
        super().__init__()
        self.action = permissions.action(action).name if action else ""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        """The token that `Authorization: Bearer` carries; the operation finds it at `request.auth`."""
        found = services.authenticate(token)
        if found is None:
            raise HttpError(401, "This token is unknown, expired or revoked. Create one under Settings > API tokens.")
        if self.action:
            demand(found, self.action)
        return found


def demand(token: ApiToken, action: str) -> None:
    """For operations that find out late what they do. Raises `HttpError` 403, which names the scope or the role."""
    if reason := permissions.refusal(token, action):
        raise HttpError(403, reason)
