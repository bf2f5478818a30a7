"""Flask: `daytwo.integrations.flask.install(app)`."""

from typing import Any

from flask import Response, request

from daytwo import health, scope
from daytwo.health.endpoint import Response as Answer
from daytwo.middleware import WsgiMiddleware


def install(app: Any, *, health_at: str | None = "/health") -> None:
    """Put the middleware around the app and add the health endpoint, at /health or elsewhere (None: nowhere)."""
    app.wsgi_app = WsgiMiddleware(app.wsgi_app)
    app.before_request(_note_route)
    if health_at is None:
        return
    for number, path in enumerate((health_at, f"{health_at}/live", f"{health_at}/ready")):
        app.add_url_rule(path, f"daytwo_health_{number}", _health, methods=["GET"])


def _note_route() -> None:
    if request.url_rule is not None:
        scope.set(route=request.url_rule.rule)


def _health() -> Response:
    answer: Answer = health.wsgi.answer(request.environ)
    return Response(answer.body, answer.status, answer.headers)
