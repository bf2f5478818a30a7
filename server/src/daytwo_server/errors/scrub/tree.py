"""The walk over an event: what is judged by name, what by content, and what is never touched."""

from collections.abc import Iterable
from typing import Any

import msgspec

from daytwo_server.errors.scrub.names import ALWAYS, FILTERED, Names, is_harmless, names_for
from daytwo_server.errors.scrub.shapes import is_card_number
from daytwo_server.errors.scrub.text import scrub_source, scrub_text

_MAX_DEPTH = 60  # a normalised event is shallower; what is deeper was not normalised and is hidden whole
_MAX_JSON = 65_536
_SHORTEST = 13  # of what is known by shape; a shorter text is secret only by a name in it
_LONG_KEY = 20

# Written by the SDK or the build, and what grouping and links are made of.
_UNTOUCHED = frozenset({"event_id", "level", "platform", "timestamp", "release", "dist", "environment", "server_name"})
_UNTOUCHED_IN_FRAME = frozenset({"function", "module", "platform", "package", "lang", "symbol", "instruction_addr"})
_UNTOUCHED_IN_EXCEPTION = frozenset({"type", "module"})
_PATHS = frozenset({"filename", "abs_path"})
_SOURCE = frozenset({"context_line", "pre_context", "post_context"})
_LABELS = ("name", "key", "header")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def scrub(event: dict[str, Any], *, extra_keys: Iterable[str] = ()) -> tuple[dict[str, Any], int]:
    """Replace every secret in the event by `[Filtered]`, in place; returns the event and how many values were replaced.

    Looks at names everywhere (`extra_keys` are the project's own), at the content of every text, and into JSON,
    form bodies, query strings, reprs and source lines. A second run changes nothing and counts 0. Never raises.
    Exception types, function and module names are never altered: grouping rests on them.
    """
    walk = _Walk(names_for(tuple(extra_keys)))
    for name, value in list(event.items()):
        if name in _UNTOUCHED and not isinstance(value, dict | list):
            continue
        if name == "exception" and isinstance(value, dict) and isinstance(value.get("values"), list):
            walk.exceptions(value)
        elif name == "modules" and isinstance(value, dict):
            walk.modules(value)
        elif name == "request" and isinstance(value, dict):
            walk.request(value)
        else:
            walk.entry(event, name, value, 1)
    return event, walk.hidden


class _Walk:
    __slots__ = ("_names", "hidden")

    def __init__(self, names: Names) -> None:
        self._names = names
        self.hidden = 0

    def exceptions(self, value: dict[str, Any]) -> None:
        """Like any other object, but the types of the exceptions stay as they are."""
        for index, one in enumerate(value["values"]):
            if isinstance(one, dict):
                self._fields(one, 3, texts=_UNTOUCHED_IN_EXCEPTION)
            else:
                value["values"][index] = self._value(one, 3)
        self._fields(value, 2, done="values")

    def modules(self, value: dict[str, Any]) -> None:
        """Package names may sound secret (`secretstorage`); their versions are not."""
        for name, version in list(value.items()):
            if not (isinstance(version, str) and version[:1].isdigit() and len(version) < 40):
                self.entry(value, name, version, 2)

    def request(self, value: dict[str, Any]) -> None:
        """Of a cookie the name stays: which cookies were there is half the story of a login bug."""
        pairs = value.get("cookies")
        named = isinstance(pairs, list) and all(_is_pair(pair) for pair in pairs)
        if isinstance(pairs, list) and named:
            value["cookies"] = [[self._text(name, 3), self._hide(inner, ALWAYS, 3)] for name, inner in pairs]
        self._fields(value, 2, done="cookies" if named else None)

    def entry(self, owner: dict[str, Any], name: str, value: Any, depth: int) -> None:
        """Scrub what `owner` holds under `name`."""
        verdict = self._names.verdict(name)
        if verdict:
            kept: Any = value if is_harmless(value, verdict, name=name) else self._hide(value, verdict, depth)
        elif name == "frames" and isinstance(value, list):
            kept = self._frames(value, depth + 1)
        else:
            kept = self._value(value, depth)
        if kept is not value:
            owner[name] = kept
        if len(name) >= _LONG_KEY:
            self._rename(owner, name)

    def _rename(self, owner: dict[str, Any], name: str) -> None:
        """A secret may be the key itself, as in a cache keyed by token."""
        clean, hidden = scrub_text(name, self._names)
        if hidden:
            self.hidden += hidden
            owner[clean] = owner.pop(name)

    def _fields(
        self, owner: dict[str, Any], depth: int, *, texts: frozenset[str] = frozenset(), done: str | None = None
    ) -> None:
        for name, value in list(owner.items()):
            if name != done and not (name in texts and isinstance(value, str)):
                self.entry(owner, name, value, depth)

    def _frames(self, frames: list[Any], depth: int) -> Any:
        if depth > _MAX_DEPTH:
            self.hidden += 1
            return FILTERED
        for index, frame in enumerate(frames):
            frames[index] = self._frame(frame, depth) if isinstance(frame, dict) else self._value(frame, depth)
        return frames

    def _frame(self, frame: dict[str, Any], depth: int) -> dict[str, Any]:
        for name, value in list(frame.items()):
            if name in _SOURCE:
                frame[name] = self._source(value, depth)
            elif isinstance(value, str) and (
                name in _UNTOUCHED_IN_FRAME or (name in _PATHS and "?" not in value and "@" not in value)
            ):
                continue
            else:
                self.entry(frame, name, value, depth)
        return frame

    def _source(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            line, hidden = scrub_source(value, self._names)
            self.hidden += hidden
            return line
        if isinstance(value, list) and depth < _MAX_DEPTH:
            return [self._source(line, depth + 1) for line in value]
        return self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return self._text(value, depth)
        if kind is dict or kind is list:
            if depth > _MAX_DEPTH:
                self.hidden += 1
                return FILTERED
            return self._object(value, depth) if kind is dict else self._list(value, depth)
        if kind is int and value >= 10**12 and value < 10**19 and is_card_number(str(value)):
            self.hidden += 1
            return FILTERED
        return value

    def _object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        for name, inner in list(value.items()):
            self.entry(value, name, inner, depth + 1)
        if "value" in value:  # {"name": "password", "value": "x"}
            label = next((value[name] for name in _LABELS if isinstance(value.get(name), str)), None)
            verdict = self._names.verdict(label) if label else 0
            if verdict:
                value["value"] = self._hide(value["value"], verdict, depth)
        return value

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        for index, inner in enumerate(value):
            before = value[index - 1] if index else None
            # ["password", "x"] out of headers or a form; ["--password", "x"] out of a command line.
            verdict = (
                self._names.verdict(before)
                if isinstance(before, str) and (len(value) == 2 or before.startswith("-")) and "=" not in before
                else 0
            )
            value[index] = self._hide(inner, verdict, depth + 1) if verdict else self._value(inner, depth + 1)
        return value

    def _hide(self, value: Any, verdict: int, depth: int) -> Any:
        """Every value inside, whatever it looks like; the shape stays, so that people see what was there."""
        if depth <= _MAX_DEPTH:
            if isinstance(value, dict):
                return {name: self._hide(inner, verdict, depth + 1) for name, inner in value.items()}
            if isinstance(value, list):
                return [self._hide(inner, verdict, depth + 1) for inner in value]
        if is_harmless(value, verdict):
            return value
        self.hidden += 1
        return FILTERED

    def _text(self, value: str, depth: int) -> str:
        if len(value) < _SHORTEST and (not value or value.isalnum()):
            return value
        if value[0] in "{[" and len(value) <= _MAX_JSON and (found := self._json(value, depth)) is not None:
            return found
        text, hidden = scrub_text(value, self._names)
        self.hidden += hidden
        return text

    def _json(self, value: str, depth: int) -> str | None:
        """JSON inside a text, scrubbed as what it is; None if it is no JSON. Unchanged unless something was hidden."""
        if value[-1] not in "}]" or value == FILTERED:
            return None
        try:
            decoded = _decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return None
        before = self.hidden
        kept = self._value(decoded, depth + 1)
        return value if self.hidden == before else _encode(kept).decode()


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)
