"""Stack traces, the innermost call first: what to show of which frame, and what to say of those left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any

from daytwo_server.errors.web.event.values import as_dict, as_list, line, variable
from daytwo_server.ui.highlight import language_of
from daytwo_server.ui.stack import Fold, Frame, fold

# The page of a recursion or of a deep framework stays light; "All" shows everything that was kept.
SHOWN = 60
REPEATS = 3  # calls from one line in a row that are still shown one by one


@dataclass(frozen=True, slots=True)
class Run:
    """Frames that follow each other, folded unless everything is shown, then a word on what comes next but is not."""

    rows: tuple[Frame | Fold, ...]
    then: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A stack. `total` is the number of calls there were, `hidden` how many of them only "All" shows."""

    runs: tuple[Run, ...]
    total: int
    hidden: int = 0


def trace(stacktrace: Any, *, platform: str, name: str = "", everything: bool = False) -> Trace | None:
    """The stack of an exception, a thread or a message; None when there is none. `name` tells it apart in the event:
    its folds are called "name.1", "name.2" and so on.
    """
    found = as_dict(stacktrace)
    raw = [frame for frame in as_list(found.get("frames")) if isinstance(frame, dict)]
    if not raw:
        return None
    # SDKs that do not tell own code from libraries send no flag at all; then every frame counts as own.
    silent = not any("in_app" in frame for frame in raw)
    crashed = _crashed(raw, silent=silent)
    first, after = _omitted(found.get("frames_omitted"))
    calls = list(_calls(raw, first, after - first))
    shown = calls if everything else list(_within(calls, SHOWN))
    keys = (f"{name}.{number}" for number in count(1))
    runs = []
    for call in shown:
        frames = [_frame(one, platform, silent=silent, is_open=one is crashed) for one in call.frames]
        runs.append(Run(tuple(frames if everything else fold(frames, keys)), call.then))
    return Trace(tuple(runs), len(raw) + after - first, _count(calls) - _count(shown))


@dataclass(frozen=True, slots=True)
class _Calls:
    frames: list[dict[str, Any]]
    then: str = ""


def _omitted(value: Any) -> tuple[int, int]:
    pair = as_list(value)
    if len(pair) == 2 and all(isinstance(one, int) for one in pair) and 0 <= pair[0] < pair[1]:
        return pair[0], pair[1]
    return 0, 0


def _calls(raw: list[dict[str, Any]], first: int, omitted: int) -> Iterator[_Calls]:
    """The frames innermost first, with a word where intake left out the middle."""
    if not omitted:
        yield from _collapsed(raw[::-1])
        return
    *inner, last = _collapsed(raw[first:][::-1]) or [_Calls([])]
    yield from inner
    kept = f"{last.then}; " if last.then else ""
    yield _Calls(last.frames, f"{kept}{omitted:,} calls in between were not kept")
    yield from _collapsed(raw[:first][::-1])


def _collapsed(frames: list[dict[str, Any]]) -> list[_Calls]:
    """A recursion calls itself from one line: shown a few times, then counted."""
    found: list[_Calls] = []
    plain: list[dict[str, Any]] = []
    for _, group in groupby(frames, key=lambda one: (one.get("filename"), one.get("function"), one.get("lineno"))):
        calls = list(group)
        plain += calls[:REPEATS]
        if len(calls) > REPEATS:
            found.append(_Calls(plain, f"the same call {len(calls) - REPEATS:,} more times"))
            plain = []
    return [*found, _Calls(plain)] if plain else found


def _within(calls: list[_Calls], limit: int) -> Iterator[_Calls]:
    """The first `limit` frames."""
    for one in calls:
        if limit <= 0:
            return
        yield one if len(one.frames) <= limit else _Calls(one.frames[:limit])
        limit -= len(one.frames)


def _count(calls: list[_Calls]) -> int:
    return sum(len(one.frames) for one in calls)


def _crashed(raw: list[dict[str, Any]], *, silent: bool) -> dict[str, Any]:
    """The frame to look at first: the innermost one of the team's own code, else the innermost."""
    own = (frame for frame in reversed(raw) if silent or frame.get("in_app"))
    return next(own, raw[-1])


def file_of(frame: dict[str, Any]) -> str:
    """The file as people know it; of an address the path."""
    path = line(frame.get("filename") or frame.get("abs_path") or frame.get("module") or frame.get("package"))
    if "://" in path:
        path = path.partition("://")[2].partition("/")[2] or path
    return path or "unknown file"


def function_of(frame: dict[str, Any]) -> str:
    """The function's name; empty when the SDK knows none."""
    name = line(frame.get("function"))
    return "" if name in {"?", "<anonymous>", "<unknown>"} else name


def _frame(frame: dict[str, Any], platform: str, *, silent: bool, is_open: bool) -> Frame:
    file = file_of(frame)
    number = frame.get("lineno")
    number = number if isinstance(number, int) else None
    kind = line(frame.get("platform")) or platform
    return Frame(
        file=file,
        function=function_of(frame),
        line=number,
        in_app=silent or bool(frame.get("in_app")),
        open=is_open,
        source=source_of(frame, number),
        variables=[
            (name, variable(value, python=kind == "python")) for name, value in as_dict(frame.get("vars")).items()
        ],
        module=line(frame.get("module")),
        language=line(frame.get("lang")) or language_of(file) or kind,
    )


def source_of(frame: dict[str, Any], number: int | None) -> list[tuple[int, str]]:
    """(line number, text) around the call; empty when the SDK sent no source."""
    if not isinstance(frame.get("context_line"), str):
        return []
    before = [text for text in as_list(frame.get("pre_context")) if isinstance(text, str)]
    after = [text for text in as_list(frame.get("post_context")) if isinstance(text, str)]
    start = (number or len(before) + 1) - len(before)
    return list(enumerate([*before, frame["context_line"], *after], start=start))
