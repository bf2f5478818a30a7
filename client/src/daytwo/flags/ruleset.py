"""A snapshot compiled: what evaluates, in an app and in Daytwo itself. Neither threads nor sockets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from daytwo.flags.bucketing import identity
from daytwo.flags.compiler import Compiled, Decide
from daytwo.flags.conditions import Holds, all_of, compile_condition
from daytwo.flags.definition import key_of
from daytwo.flags.evaluation import ErrorCode, Evaluation
from daytwo.flags.invalid import Fields, Invalid
from daytwo.flags.values import text

FORMAT = 1
_DEEPEST = 20  # flags that hang on one another


class Ruleset:
    """The flags of one environment.

    `decide` has a function for each flag: user, organization, plan and the other attributes (ids and plan texts or
    None) to an `Evaluation`. `broken` says what is wrong with those that make no sense: they answer the code's default,
    the others are not touched by it. `Invalid` when it is no snapshot at all. What has not changed is taken from
    `previous`.
    """

    def __init__(self, snapshot: Any, *, previous: Ruleset | None = None) -> None:
        given = Fields(snapshot)
        if given.found.get("format") != FORMAT:
            raise Invalid("format", f"{given.found.get('format')!r} is not {FORMAT}, the only one understood here")
        self.revision = int(given.number("revision") or 0)
        self.environment = given.text("environment") or ""
        self.broken: dict[str, Invalid] = {}
        self.flags: dict[str, Compiled] = {}
        self.written: dict[str, Mapping[str, Any]] = {}
        self.segments_written: Any = given.found.get("segments") or {}
        segments = self._segments()
        same = previous if previous is not None and previous.segments_written == self.segments_written else None
        self._places: dict[str, str] = {}
        for number, one in enumerate(given.items("flags")):
            self._take(one, f"flags[{number}]")
        for key in self._in_order():
            self._compile(key, segments, same)
        self.decide: dict[str, Decide] = {key: flag.decide for key, flag in self.flags.items()}

    def evaluate(self, key: str, context: Mapping[str, Any], *, explain: bool = False) -> Evaluation:
        """Answer for a context as OFREP has it: `targetingKey` (or `userId`), `organizationId`, `plan`, anything else.

        Never raises for what is in the context. Unknown and broken flags have an `error` and no variant.
        """
        flag = self.flags.get(key)
        if flag is None:
            return no_answer(key, "PARSE_ERROR" if key in self.broken else "FLAG_NOT_FOUND")
        user = identity(context.get("targetingKey")) or identity(context.get("userId"))
        ask = flag.explain if explain else flag.decide
        return ask(user, identity(context.get("organizationId")), text(context.get("plan")), context)

    def changed_since(self, previous: Ruleset | None) -> list[str]:
        """Keys of the flags that are new, gone or other than before."""
        if previous is None:
            return sorted(self.written)
        keys = self.written.keys() | previous.written.keys()
        other = previous.segments_written != self.segments_written
        return sorted(key for key in keys if other or self.written.get(key) != previous.written.get(key))

    def answers(self) -> Iterator[Evaluation]:
        """Everything that can ever be answered: where the counts are."""
        for flag in self.flags.values():
            yield from flag.answers

    def _segments(self) -> dict[str, Holds]:
        found: dict[str, Holds] = {}
        for name, written in Fields(self.segments_written, "segments").found.items():
            try:
                found[name] = _segment(Fields(written, f"segments.{name}"))
            except Invalid as error:
                self.broken[f"segment {name}"] = error  # and with it every flag that asks for it
        return found

    def _take(self, written: Any, at: str) -> None:
        try:
            key = key_of(Fields(written, at))
        except Invalid as error:
            self.broken[at] = error
            return
        self.written[key] = written
        self._places[key] = at

    def _in_order(self) -> Iterator[str]:
        """Every flag after those it hangs on. What is on a circle, or too far down, comes in any order at the end."""
        waits = {key: _named(written) & self.written.keys() for key, written in self.written.items()}
        ready = [key for key, parents in waits.items() if not parents]
        self._unordered: set[str] = set()
        hanging: dict[str, list[str]] = {}
        for key, parents in waits.items():
            for parent in parents:
                hanging.setdefault(parent, []).append(key)
        for _ in range(_DEEPEST):
            yield from ready
            following = []
            for key in ready:
                for child in hanging.get(key, ()):
                    waits[child].discard(key)
                    if not waits[child]:
                        following.append(child)
                del waits[key]
            ready = following
        self._unordered = set(waits)
        yield from list(waits)

    def _compile(self, key: str, segments: Mapping[str, Holds], previous: Ruleset | None) -> None:
        written = self.written[key]
        if previous is not None and key in previous.flags and not _named(written) and previous.written[key] == written:
            self.flags[key] = previous.flags[key]
            return
        # On a circle nobody is anybody's parent, so that prerequisites are not met.
        named = () if key in self._unordered else _named(written)
        parents = {name: self.flags[name].decide for name in named if name in self.flags}
        try:
            self.flags[key] = Compiled(written, segments, parents, at=self._places[key])
        except Invalid as error:
            self.broken[key] = error


def _segment(given: Fields) -> Holds:
    conditions = [compile_condition(condition, {}) for condition in given.objects("conditions")]
    if not conditions:
        raise Invalid(given.path("conditions"), "missing: it would hold for everybody")
    return all_of(conditions)


def no_answer(key: str, error: ErrorCode, *, default: Any = None) -> Evaluation:
    """What is answered when no definition does: the code's default, whose variant is none."""
    return Evaluation(
        flag=key, variant=None, value=default, enabled=default is True, reason="ERROR", source="code", error=error
    )


def _named(written: Mapping[str, Any]) -> set[str]:
    """The flags it says to hang on, as far as that can be read."""
    listed = written.get("prerequisites")
    found = (one.get("flag") for one in listed if isinstance(one, Mapping)) if isinstance(listed, list) else ()
    return {name for name in found if isinstance(name, str)}
