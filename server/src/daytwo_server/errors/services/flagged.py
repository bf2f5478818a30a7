"""First errors by the feature flags that their events carry, for whoever watches these flags."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from daytwo_server.core import facts
from daytwo_server.errors.facts import FlaggedErrorsCounted
from daytwo_server.errors.prepare import Prepared

Watched = Mapping[tuple[int, str], Collection[str]]  # the keys of flags by project and environment

SPAN_S = 5
_MOST_ISSUES = 10_000

_source: Callable[[], Watched] | None = None
# By issue the last event without a user that counted, and in which span of seconds. Only of this process, and no more
# than a brake: what two digests count twice in five seconds is still counted alike for both values of a flag.
_nobody: OrderedDict[int, tuple[int, str]] = OrderedDict()


def watch(source: Callable[[], Watched]) -> None:
    """Have the errors of these flags counted, and no others. Asked for each batch of events: it has to be quick."""
    global _source  # noqa: PLW0603 - one room watches
    _source = source


def count(events: Sequence[Prepared], firsts: Iterable[Prepared]) -> None:
    """Record how many first errors had which watched flag at which value, in one fact; none when nothing is watched.

    `firsts` are the first events of users in issues. Of events that name no user, the first of an issue counts in each
    five seconds, whatever flags it has: one visitor in a loop must not pass for many.
    """
    watched = _source() if _source and events else {}
    if not watched:
        return
    counts: Counter[tuple[int, int, str, str, str]] = Counter()
    latest: dict[int, float] = {}
    for event in (*firsts, *_of_nobody(events)):
        place = (event.arrival.project, event.environment)
        span = _span(event)
        for key in watched.get(place, ()):
            value = event.facets.get(f"flag.{key}")
            if value is not None:
                counts[span, *place, key, value] += 1
                latest[span] = max(latest.get(span, 0.0), event.arrival.received)
    if counts:
        told = tuple((latest[what[0]], *what[1:], n) for what, n in sorted(counts.items()))
        facts.record(FlaggedErrorsCounted(counts=told))


def _span(event: Prepared) -> int:
    """Batches hold what came in within moments, or hours after a stop; a flag may have been changed in between."""
    return int(event.arrival.received) // SPAN_S


def _of_nobody(events: Iterable[Prepared]) -> list[Prepared]:
    found = []
    for event in events:
        if event.user_key:
            continue
        span = _span(event)
        last, counted = _nobody.get(event.issue, (-1, ""))
        # The same event comes again when its transaction could not be committed.
        if span > last or counted == event.event_id:
            found.append(event)
            _nobody[event.issue] = (span, event.event_id)
            _nobody.move_to_end(event.issue)
    while len(_nobody) > _MOST_ISSUES:
        _nobody.popitem(last=False)
    return found
