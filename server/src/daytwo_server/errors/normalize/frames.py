"""Frames: the bulk of an event, so each is rebuilt from the keys that are shown and nothing else."""

from typing import Any

from daytwo_server.errors.normalize.limits import MAX_VARIABLE, Trimmer
from daytwo_server.errors.normalize.scalars import CUT, clean, text_of

MAX_FRAMES = 250
_FIRST, _LAST = 50, 200
_MAX_LINE = 512  # characters of a source line
_MAX_LINES = 20
_MAX_LOCALS = 8_192  # characters of all local variables of one frame

_TEXTS = ("function", "module", "filename", "abs_path", "platform", "package", "symbol", "instruction_addr", "lang")
_NUMBERS = ("lineno", "colno")


def values_of(value: Any) -> list[Any]:
    """The list out of `{"values": [...]}`, a bare list, or a single object that is itself the only value."""
    if isinstance(value, dict):
        values = value.get("values")
        if isinstance(values, list):
            return values
        if isinstance(values, dict):
            return list(values.values())
        return [] if "values" in value else [value]
    return value if isinstance(value, list) else []


def bounded_frames(value: Any, path: str, trimmer: Trimmer) -> tuple[list[dict[str, Any]], list[int] | None]:
    """The frames to keep, and the [from, to) of those left out of the middle if there were more than 250."""
    raw = [frame for frame in value if isinstance(frame, dict) and frame] if isinstance(value, list) else []
    omitted = None
    if len(raw) > MAX_FRAMES:
        omitted = [_FIRST, len(raw) - _LAST]
        trimmer.note(path, f"{omitted[1] - omitted[0]} of {len(raw)} frames left out of the middle")
        raw = raw[:_FIRST] + raw[-_LAST:]
    return [kept for frame in raw if (kept := _frame(frame, path, trimmer))], omitted


def _frame(raw: dict[str, Any], path: str, trimmer: Trimmer) -> dict[str, Any]:
    frame: dict[str, Any] = {}
    for name in _TEXTS:
        value = raw.get(name)
        if value is not None and (text := text_of(value, limit=_MAX_LINE)) is not None:
            frame[name] = text
    for name in _NUMBERS:
        value = raw.get(name)
        if type(value) is int and 0 <= value < 1 << 31:
            frame[name] = value
    if isinstance(raw.get("in_app"), bool):
        frame["in_app"] = raw["in_app"]
    if isinstance(raw.get("context_line"), str):
        frame["context_line"] = _line(raw["context_line"])
    for name in ("pre_context", "post_context"):
        lines = raw.get(name)
        if isinstance(lines, list) and (kept := [_line(line) for line in lines[:_MAX_LINES] if isinstance(line, str)]):
            frame[name] = kept
    if isinstance(raw.get("vars"), dict) and raw["vars"]:
        frame["vars"] = trimmer.tree(raw["vars"], f"{path}.vars", limit=MAX_VARIABLE, budget=_MAX_LOCALS)
    return frame


def _line(text: str) -> str:
    if len(text) > _MAX_LINE:
        text = text[:_MAX_LINE] + CUT
    return text if text.isascii() and "\x00" not in text else clean(text)
