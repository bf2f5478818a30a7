"""FastAPI and Starlette: `daytwo.integrations.fastapi.install(app)`."""

from typing import Any

from daytwo import health
from daytwo.middleware import AsgiMiddleware


def install(app: Any, *, health_at: str | None = "/health") -> None:
    """Put the middleware around the app and mount the health endpoint, at /health or elsewhere (None: nowhere).

    Call it before the first request; a route of the app with the same path, added earlier, comes first.
    """
    inner = app.build_middleware_stack
    # Around the whole stack, not in it: the answer to an exception is made by its outermost layer.
    app.build_middleware_stack = lambda: AsgiMiddleware(inner())
    if health_at is not None:
        app.mount(health_at, health.asgi)
