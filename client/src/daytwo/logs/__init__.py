"""Structured logs: flat JSON lines for machines, readable lines at a terminal."""

from typing import IO, Any

from daytwo.logs.logger import Logger, get_logger, request_logger
from daytwo.logs.output import Form, output
from daytwo.logs.stdlib import StdlibHandler, install

__all__ = ["Logger", "StdlibHandler", "configure", "get_logger", "install", "request_logger"]


def configure(level: str | None = None, *, form: Form = "auto", stream: IO[Any] | None = None) -> None:
    """Say what is logged, how and where. Without this call: the defaults named here.

    `level`: debug, info, warning, error or critical; default the environment's LOG_LEVEL, else info.
    A level that is none of these counts as info, and one line says so.
    `form`: "auto" is JSON where SENTRY_ENVIRONMENT is production or the stream is no terminal, else console.
    `stream`: default whatever `sys.stdout` is when a line is written.
    """
    if form not in ("auto", "json", "console"):
        raise ValueError(f"form {form!r} is unknown; give auto, json or console")
    output.configure(level, form, stream)
