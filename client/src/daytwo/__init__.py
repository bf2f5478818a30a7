"""The library inside an app that Daytwo looks after: structured logs and health checks."""

from daytwo import health, logs, scope
from daytwo.logs import Logger, get_logger, request_logger

__version__ = "0.1.0"

__all__ = ["Logger", "__version__", "get_logger", "health", "logs", "request_logger", "scope"]
