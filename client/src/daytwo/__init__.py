"""The library inside an app that Daytwo looks after: errors, structured logs, health checks, request scope."""

from daytwo import health, logs, scope
from daytwo.logs import Logger, get_logger, request_logger
from daytwo.middleware import asgi, wsgi
from daytwo.reporting import CANCELLED, capture_exception, capture_message, flush, init, set_user
from daytwo.scope import wrap

__version__ = "0.1.0"

__all__ = [
    "CANCELLED",
    "Logger",
    "__version__",
    "asgi",
    "capture_exception",
    "capture_message",
    "flush",
    "get_logger",
    "health",
    "init",
    "logs",
    "request_logger",
    "scope",
    "set_user",
    "wrap",
    "wsgi",
]
