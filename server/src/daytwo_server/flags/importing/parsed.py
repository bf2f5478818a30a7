"""What a file of another system comes to."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Condition = dict[str, Any]
MAX_ALTERNATIVES = 32  # rules that one condition of another system may come to
_UNSET = "is_not_set"


class Unreadable(ValueError):
    """It is no file of that kind; the text says what is missing."""


class Unsupported(Exception):
    """A flag says something that ours cannot; the text says what."""


@dataclass
class Imported:
    """A flag as the API takes it, with the overrides of users and organizations."""

    key: str
    body: dict[str, Any]
    overrides: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Parsed:
    """`flags` come after those that they hang on. `notes` say of what is imported where it answers otherwise."""

    flags: list[Imported] = field(default_factory=list)
    segments: dict[str, list[Condition]] = field(default_factory=dict)
    unsupported: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, key: str, text: str) -> None:
        said = self.notes.setdefault(key, [])
        if text not in said:
            said.append(text)


@contextlib.contextmanager
def naming(found: Parsed, key: str) -> Iterator[None]:
    """Name a flag among the unsupported when reading it comes to nothing, whatever the file holds in its place."""
    try:
        yield
    except Unsupported as problem:
        found.unsupported[key] = str(problem)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as problem:
        found.unsupported[key] = f"its definition is of another shape ({type(problem).__name__}: {problem})"[:500]
    if key in found.unsupported:
        found.notes.pop(key, None)


def negated(condition: Condition) -> list[Condition]:
    """The opposite of a condition in a system where it does not hold of who lacks the attribute: two alternatives, as
    here nothing holds of what is unknown.
    """
    opposite = {**condition, "inverted": not condition.get("inverted", False)}
    if not opposite["inverted"]:
        del opposite["inverted"]
    return [{"attribute": condition["attribute"], "operator": _UNSET}, opposite]


def all_of(parts: Iterable[Sequence[Sequence[Condition]]]) -> list[list[Condition]]:
    """Alternatives of which all parts hold, each part being alternatives itself. Raises `Unsupported` for too many."""
    found: list[list[Condition]] = [[]]
    for part in parts:
        found = [[*one, *other] for one, other in itertools.product(found, part)]
        if len(found) > MAX_ALTERNATIVES:
            raise Unsupported(f"its conditions come to more than {MAX_ALTERNATIVES} rules")
    return found


def percent_weights(weights: Mapping[str, float]) -> list[dict[str, Any]]:
    """A split of these shares. Raises `Unsupported` when they are no percents with one decimal."""
    total = sum(weights.values())
    if total <= 0:
        raise Unsupported("its weights come to nothing")
    found = []
    for variant, weight in weights.items():
        percent = weight * 100 / total
        if abs(percent * 10 - round(percent * 10)) > 1e-9:
            raise Unsupported(f"a weight of {weight:g} of {total:g} is no percentage with one decimal")
        found.append({"variant": variant, "weight": round(percent * 10) / 10})
    return found


def objects(value: Any, what: str) -> list[Mapping[str, Any]]:
    """A list of objects; `Unsupported` for anything else."""
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Unsupported(f"{what} is no list of objects")
    return found
