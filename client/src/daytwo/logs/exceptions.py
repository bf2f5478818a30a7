"""Renders an exception and what caused it as fields instead of text."""

from collections import deque
from types import TracebackType
from typing import Any

from daytwo.logs.values import plain

_FRAMES = 30  # the innermost ones: where it broke
_CHAIN = 5
_MEMBERS = 5  # of an exception group


def describe(exc: BaseException, *, chain: int = _CHAIN) -> dict[str, Any]:
    """Return `{type, message, stacktrace: [{file, line, function}], cause?, members?}`, never raising.

    Frames run from the outermost to the innermost of the last 30. `cause` is the exception it was raised
    from, or the one being handled, at most 5 in all; `members` are those of an exception group.
    """
    kind = type(exc)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    found: dict[str, Any] = {"type": name, "message": _message(exc), "stacktrace": _stacktrace(exc.__traceback__)}
    if chain <= 1:
        return found
    cause = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    if cause is not None:
        found["cause"] = describe(cause, chain=chain - 1)
    if isinstance(exc, BaseExceptionGroup):
        found["members"] = [describe(member, chain=1) for member in exc.exceptions[:_MEMBERS]]
    return found


def _message(exc: BaseException) -> Any:
    try:
        return plain(str(exc))
    except Exception:  # noqa: BLE001 - __str__ is the caller's code; a log call never raises
        return "<unprintable>"


def _stacktrace(step: TracebackType | None) -> list[dict[str, Any]]:
    frames: deque[dict[str, Any]] = deque(maxlen=_FRAMES)
    while step is not None:
        code = step.tb_frame.f_code
        frames.append({"file": plain(code.co_filename), "line": step.tb_lineno, "function": plain(code.co_qualname)})
        step = step.tb_next
    return list(frames)
