"""Links between rooms that foreign keys must not make: a kind and an id, resolved to title and address when shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Resolver = Callable[[Sequence[str]], Mapping[str, "Ref"]]
R = TypeVar("R", bound=Resolver)

_resolvers: dict[str, Resolver] = {}


@dataclass(frozen=True, init=False)
class Ref:
    """Points at one object of any room. Title and address are for showing and may be empty."""

    kind: str
    id: str
    title: str
    url: str

    def __init__(self, kind: str, id: int | str, title: str = "", url: str = "") -> None:  # noqa: A002 - the field's name
        for name, value in (("kind", kind), ("id", str(id)), ("title", title), ("url", url)):
            object.__setattr__(self, name, value)


def resolver(kind: str) -> Callable[[R], R]:
    """Make the function name and locate objects of this kind: ids to full `Ref`s; an id it does not know is left out.

    It is asked once for many ids. It does not ask who is looking: pages show the title of what was linked on purpose.
    """

    def register(function: R) -> R:
        if _resolvers.setdefault(kind, function).__qualname__ != function.__qualname__:
            raise ValueError(f"Refs of kind {kind} already have a resolver.")
        _resolvers[kind] = function
        return function

    return register


def kinds() -> frozenset[str]:
    """The kinds that have a resolver."""
    return frozenset(_resolvers)


def resolve_many(refs: Iterable[Ref]) -> list[Ref]:
    """The refs in their order with title and address. One that nobody knows any more is titled by kind and id."""
    refs = list(refs)
    wanted: dict[str, set[str]] = defaultdict(set)
    for ref in refs:
        wanted[ref.kind].add(ref.id)
    found = {kind: _resolvers[kind](sorted(ids)) for kind, ids in wanted.items() if kind in _resolvers}
    return [
        found.get(ref.kind, {}).get(ref.id) or Ref(ref.kind, ref.id, ref.title or f"{ref.kind} {ref.id}")
        for ref in refs
    ]
