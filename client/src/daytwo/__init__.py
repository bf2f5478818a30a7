"""The library inside an app that Daytwo looks after: errors, structured logs, health checks, request scope."""

from typing import TYPE_CHECKING

from daytwo import health, logs, scope
from daytwo._server import Server, server
from daytwo.logs import Logger, get_logger, request_logger
from daytwo.middleware import asgi, wsgi
from daytwo.reporting import CANCELLED, capture_exception, capture_message, flush, init, set_user
from daytwo.scope import wrap

if TYPE_CHECKING:
    from daytwo import flags, integrations, statuspage, testing

__version__ = "0.1.0"

__all__ = [
    "CANCELLED",
    "Logger",
    "Server",
    "__version__",
    "asgi",
    "capture_exception",
    "capture_message",
    "flags",
    "flush",
    "get_logger",
    "health",
    "init",
    "integrations",
    "logs",
    "request_logger",
    "scope",
    "server",
    "set_user",
    "statuspage",
    "testing",
    "wrap",
    "wsgi",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import on first use what needs more than the rest does: `daytwo.statuspage.StatusPage()`."""
        from importlib import import_module

        if name in {"flags", "integrations", "statuspage", "testing"}:
            return import_module(f"daytwo.{name}")
        raise AttributeError(f"module 'daytwo' has no attribute {name!r}")
