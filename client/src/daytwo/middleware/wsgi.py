"""The middleware for WSGI apps: `app = daytwo.wsgi(app)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from daytwo import reporting, scope
from daytwo.middleware.request import REQUEST_ID_HEADER, Access, fields_of

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None


class WsgiMiddleware:
    """Scope, request id, access line, and the report of what nobody caught, until the last byte was sent.

    An exception goes on to the server after it was reported.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        known = fields_of(environ.get("HTTP_X_REQUEST_ID", ""), environ.get("HTTP_TRACEPARENT", ""))
        access = Access(environ["REQUEST_METHOD"], environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))

        def starting(status: str, headers: list[tuple[str, str]], exc_info: ExcInfo = None) -> Any:
            access.status = int(status[:3]) if status[:3].isdigit() else 0
            others = [one for one in headers if one[0].lower() != REQUEST_ID_HEADER]
            # Without a third argument where there is none: some servers tell that from None.
            rest = (exc_info,) if exc_info else ()
            return start_response(status, [*others, ("X-Request-ID", known["request_id"])], *rest)

        answer = _Answer(environ, access)
        opened = answer.enter_context(scope.request(**known))
        answer.opened = opened
        try:
            answer.parts = self.app(environ, starting)
        except BaseException as error:
            answer.fail(error)
            answer.close()
            raise
        return answer


class _Answer(ExitStack):
    """The body on its way. Its scope is open until the server closes it, as a generator may log while it is read."""

    def __init__(self, environ: Environ, access: Access) -> None:
        super().__init__()
        self.opened: dict[str, object] = {}
        self.parts: Iterable[bytes] = ()
        self._environ, self._access = environ, access
        self._failed = self._told = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self.parts:
                self._access.sent += len(part)
                yield part
        except Exception as error:
            self.fail(error)
            raise

    def fail(self, error: BaseException) -> None:
        self._failed = True
        if isinstance(error, Exception):
            reporting.capture_unhandled(error)

    def close(self) -> None:
        try:
            close = getattr(self.parts, "close", None)
            if close is not None:
                close()
        finally:
            if not self._told:
                self._told = True
                self._access.tell(self.opened, route=_route(self._environ), failed=self._failed)
            super().close()


def _route(environ: Environ) -> str:
    """The template of the route where Flask left a trace of it."""
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    return str(getattr(rule, "rule", ""))
