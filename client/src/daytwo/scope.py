"""What is known about the request being served, shared by everything that serves it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar, copy_context
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# One variable holding one mutable dict. A sync view runs in a thread with a *copy* of the context:
# what it binds to a variable of its own is lost on return, what it puts into this dict is not.
_current: ContextVar[dict[str, object] | None] = ContextVar("daytwo_scope", default=None)

# What flags answered within the request, by key, for error events. Not among the fields: those are in every log line.
evaluated: ContextVar[dict[str, Any] | None] = ContextVar("daytwo_flags", default=None)

# Set by `daytwo.init`: keeps what is reported within a request (its user, tags) to that request.
isolate: Callable[[], AbstractContextManager[Any]] = nullcontext


def current() -> dict[str, object] | None:
    """Return the live dict of the request being served, or None outside of one."""
    return _current.get()


def set(**fields: object) -> None:  # noqa: A001 - read as `scope.set(plan="pro")`
    """Add fields to the request being served. Outside of a request there is nothing to add to: ignored."""
    fields_now = _current.get()
    if fields_now is not None:
        fields_now.update(fields)


@contextmanager
def request(**fields: object) -> Iterator[dict[str, object]]:
    """Open the scope of one request and give its dict, which stays readable after the request ended.

    A scope opened within another starts with the outer one's fields; its own are not seen outside.
    """
    outer = _current.get()
    opened = {**(outer or {}), **fields}
    # What was answered outside of any request is no part of this one.
    answered = {} if outer is None else dict(evaluated.get() or {})
    token, flags = _current.set(opened), evaluated.set(answered)
    try:
        with isolate():
            yield opened
    finally:
        # ValueError: a streamed response may be closed in another context than the one it began in.
        with suppress(ValueError):
            _current.reset(token)
            evaluated.reset(flags)


def wrap(function: Callable[P, R]) -> Callable[P, R]:
    """The function, to be run on a thread that the app starts itself, within the request that is being served now.

    Threads copy nothing by themselves. A wrapped function may run more than once, also at the same time.
    """
    context = copy_context()

    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(function, *args, **kwargs)

    return within
