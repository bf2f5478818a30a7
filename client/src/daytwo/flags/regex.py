r"""Regular expressions that take time in proportion to the text, whatever the pattern: there is no backtracking here.

A pattern becomes a nondeterministic automaton whose states are followed all at once (Thompson, 1968), and sets of
states that occurred are remembered. Understood are literals, `.`, classes, `\d \w \s` and their opposites, groups,
`|`, `* + ? {m} {m,} {m,n}` (lazy ones too: what matches is the same), `^`, `$`, and `(?i)` at the start. What no such
automaton can do (back references, looking around), and `\b`, is refused.

Bounds: a pattern of 256 characters and 500 states, a text of 512 characters, so one search takes some 50 ms at worst.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

LONGEST_PATTERN = 256
LONGEST_TEXT = 512
MOST_STATES = 500
_MOST_NESTED = 30
_REMEMBERED = 2000  # steps of an automaton; past that it starts over

_START, _END, _EITHER, _MATCH = "^", "$", "|", "match"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class Refused(ValueError):
    """The pattern is none, or one that is not taken; the text says why."""


class _State:
    __slots__ = ("follow", "kind", "number", "takes")

    def __init__(self, number: int, kind: str, takes: Callable[[str], object] | None = None) -> None:
        self.number, self.kind, self.takes = number, kind, takes
        self.follow: list[_State] = []


class _Part(NamedTuple):
    """A piece of the automaton: where it begins, and the states whose next one is still open."""

    first: _State
    open: list[_State]


def compile(pattern: str, *, ignore_case: bool = False) -> Callable[[str], bool | None]:  # noqa: A001 - as in `re`
    """A function that says whether the pattern is found in a text; None for a text too long to look at. `Refused`."""
    if len(pattern) > LONGEST_PATTERN:
        raise Refused(f"the pattern has more than {LONGEST_PATTERN} characters")
    return _Automaton(_Parser(pattern, ignore_case=ignore_case).parse()).search


class _Parser:
    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        if pattern.startswith("(?i)"):
            pattern, ignore_case = pattern[4:], True
        self.text, self.at, self.depth, self.states = pattern, 0, 0, 0
        self.flags = re.IGNORECASE if ignore_case else re.NOFLAG

    def parse(self) -> _State:
        whole = self.either()
        if self.at < len(self.text):
            raise Refused(f"`)` at character {self.at + 1} closes nothing")
        self.close(whole, self.state(_MATCH))
        return whole.first

    def state(self, kind: str, takes: Callable[[str], object] | None = None) -> _State:
        self.states += 1
        if self.states > MOST_STATES:
            raise Refused(f"the pattern is too large: counted repeats make more than {MOST_STATES} states of it")
        return _State(self.states, kind, takes)

    @staticmethod
    def close(part: _Part, state: _State) -> None:
        for one in part.open:
            one.follow.append(state)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        found = self.peek()
        if not found:
            raise Refused("the pattern ends too early")
        self.at += 1
        return found

    def either(self) -> _Part:
        parts = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence())
        if len(parts) == 1:
            return parts[0]
        fork = self.state(_EITHER)
        fork.follow += [part.first for part in parts]
        return _Part(fork, [one for part in parts for one in part.open])

    def sequence(self) -> _Part:
        parts: list[_Part] = []
        while self.peek() not in {"", "|", ")"}:
            parts.append(self.repeated())
        return self.chain(parts)

    def chain(self, parts: list[_Part]) -> _Part:
        if not parts:
            nothing = self.state(_EITHER)
            return _Part(nothing, [nothing])
        for part, following in pairwise(parts):
            self.close(part, following.first)
        return _Part(parts[0].first, parts[-1].open)

    def repeated(self) -> _Part:
        begun = self.at
        part = self.atom()
        found = self.quantifier()
        if found is None:
            return part
        if self.peek() == "?":  # lazy
            self.at += 1
        if self.peek() in {"*", "+", "?"} or self.bounds() is not None:
            raise Refused(f"a repeat of a repeat at character {self.at + 1}")
        least, most = found
        after, self.at = self.at, begun
        parts = [part]
        for _ in range(max(least, most or 0, 1) - 1):  # each round needs states of its own
            self.at = begun
            parts.append(self.atom())
        self.at = after
        return self.counted(parts, least, most)

    def counted(self, parts: list[_Part], least: int, most: int | None) -> _Part:
        if most == 0:
            return self.chain([])
        needed = parts[:least]
        if most is None:
            return self.chain([*needed[:-1], self.loop(parts[-1], optional=least == 0)])
        return self.chain([*needed, *([self.maybe(parts[least:most])] if most > least else [])])

    def loop(self, part: _Part, *, optional: bool) -> _Part:
        fork = self.state(_EITHER)
        fork.follow.append(part.first)
        self.close(part, fork)
        return _Part(fork if optional else part.first, [fork])

    def maybe(self, parts: list[_Part]) -> _Part:
        forks = []
        for part in parts:
            fork = self.state(_EITHER)
            fork.follow.append(part.first)
            forks.append(fork)
        for part, fork in zip(parts, forks[1:], strict=False):
            self.close(part, fork)
        return _Part(forks[0], [*forks, *parts[-1].open])

    def quantifier(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        found = simple.get(self.peek())
        if found is not None:
            self.at += 1
            return found
        bounds = self.bounds()
        if bounds is None:
            return None
        self.at += len(bounds[0])
        least = int(bounds[1])
        most = least if bounds[2] is None else int(bounds[3]) if bounds[3] else None
        if most is not None and most < least:
            raise Refused(f"{bounds[0]} asks for more than it allows")
        if max(least, most or 0) > MOST_STATES:
            raise Refused(f"{bounds[0]} repeats too often: {MOST_STATES} times at most")
        return least, most

    def bounds(self) -> re.Match[str] | None:
        return re.compile(r"\{([0-9]{1,9})(,([0-9]{0,9}))?\}").match(self.text, self.at)

    def atom(self) -> _Part:
        begun = self.at
        found = self.take()
        if found == "(":
            return self.group()
        if found in {"*", "+", "?"}:
            raise Refused(f"`{found}` at character {self.at} repeats nothing")
        if found in {"^", "$"}:
            anchor = self.state(_START if found == "^" else _END)
            return _Part(anchor, [anchor])
        if found == "[":
            self.class_end()
            source = self.text[begun : self.at]
            if any(pair in source for pair in ("--", "&&", "||", "~~")):  # may mean something else to `re` one day
                raise Refused(f"{source}: write the second of two equal signs in a class with a `\\` before it")
            return self.single(source)
        if found == "\\":
            return self.single(self.escape())
        return self.single(r"[^\n]" if found == "." else re.escape(found))

    def group(self) -> _Part:
        if self.peek() == "?":
            named = re.compile(r"\?(?::|P<\w+>)").match(self.text, self.at)
            if named is None:
                raise Refused(
                    f"`(?` at character {self.at}: looking around and flags amid a pattern are not understood"
                )
            self.at = named.end()
        self.depth += 1
        if self.depth > _MOST_NESTED:
            raise Refused(f"more than {_MOST_NESTED} groups within each other")
        inner = self.either()
        self.depth -= 1
        if self.peek() != ")":
            raise Refused("a `(` is not closed")
        self.at += 1
        return inner

    def class_end(self) -> None:
        """Move past a class, whose own syntax is left to `re`: it is only ever asked about one character."""
        if self.peek() == "^":
            self.at += 1
        if self.peek() == "]":
            self.at += 1
        while (found := self.take()) != "]":
            if found == "\\":
                self.take()
            elif found == "[":
                raise Refused("a `[` within a class: write it as `\\[`")

    def escape(self) -> str:
        found = self.take()
        if found in "dwsDWS":
            return "\\" + found
        if found in _ESCAPES:
            return re.escape(_ESCAPES[found])
        if found.isalnum():
            raise Refused(f"`\\{found}` is not understood")
        return re.escape(found)

    def single(self, source: str) -> _Part:
        """One character, by the source of what `re` has for it."""
        try:
            takes = re.compile(source, self.flags).fullmatch
        except (re.error, OverflowError) as error:
            raise Refused(f"{source}: {error}") from None
        state = self.state("single", takes)
        return _Part(state, [state])


class _Node:
    """A set of states that the automaton was in at once, and where it went from there."""

    __slots__ = ("following", "found", "states")

    def __init__(self, states: tuple[_State, ...]) -> None:
        self.states = states
        self.found = bool(states) and states[-1].kind is _MATCH
        self.following: dict[str, _Node] = {}


class _Automaton:
    def __init__(self, first: _State) -> None:
        self.first = first
        self.forget()

    def forget(self) -> None:
        self.nodes: dict[tuple[_State, ...], _Node] = {}
        self.steps = 0
        self.begun = self.node(_reached([self.first], at_start=True))

    def node(self, states: tuple[_State, ...]) -> _Node:
        return self.nodes.setdefault(states, _Node(states))

    def search(self, text: str) -> bool | None:
        """Whether the pattern is found anywhere in the text."""
        if len(text) > LONGEST_TEXT:
            return None
        now = self.begun
        for character in text:
            if now.found:
                return True
            now = now.following.get(character) or self.step(now, character)
        last = _reached(list(now.states), at_start=not text, at_end=True)
        return any(one.kind is _MATCH for one in last)

    def step(self, now: _Node, character: str) -> _Node:
        after = [following for one in now.states if one.takes and one.takes(character) for following in one.follow]
        if self.steps >= _REMEMBERED:
            self.forget()
        self.steps += 1
        found = self.node(_reached([*after, self.first]))  # a match may begin at every character
        now.following[character] = found
        return found


def _reached(states: list[_State], *, at_start: bool = False, at_end: bool = False) -> tuple[_State, ...]:
    """These states and those that need no character to get to; in the order of their numbers, so a match is last."""
    found: dict[int, _State] = {}
    while states:
        one = states.pop()
        if one.number in found:
            continue
        found[one.number] = one
        if one.kind is _EITHER or (one.kind is _START and at_start) or (one.kind is _END and at_end):
            states += one.follow
    return tuple(found[number] for number in sorted(found))
