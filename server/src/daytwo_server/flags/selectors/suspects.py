"""Which flags an error may come from: those that its events have on far more often than everybody else has."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Sum

from daytwo_server.catalog.models import Environment
from daytwo_server.core import clock
from daytwo_server.flags import words
from daytwo_server.flags.models import Change, ExposureCount, Flag, Type

Counts = Mapping[str, int]

LEAST_LIFT = 1.5
LEAST_DEVIATIONS = 3.0  # of a share of that many events by chance: one in 700 flags
LEAST_EVENTS = 5
COMPARED = dt.timedelta(days=7)
BEFORE = dt.timedelta(hours=24)  # a change that is longer ago than that has hardly to do with it
MAX_FLAGS = 100


@dataclass(frozen=True)
class OnEvents:
    """A flag as the events of an error carry it: `parts` are its values and how many events had each.

    Of a suspect `value` is what they have too often: `share` of the events against `usual` of all answers, both from 0
    to 1. `flag` is None for one that is not known here. `change` is the last one in the day before the error began,
    and `before` how long before.
    """

    key: str
    parts: list[tuple[str, int]]
    flag: Flag | None = None
    value: str = ""
    share: float = 0.0
    usual: float = 0.0
    change: Change | None = None
    before: dt.timedelta | None = None

    @property
    def what(self) -> str:
        """What that change did."""
        if self.change is None or "rolloutPercentage" not in self.change.after:
            return "changed it"
        sides = self.change.before, self.change.after
        return f"moved its rollout {' → '.join(words.share(one.get('rolloutPercentage')) for one in sides)}"

    @property
    def lift(self) -> float:
        """How many times as often as usual; infinite where nobody else has it."""
        return self.share / self.usual if self.usual else math.inf

    @property
    def times(self) -> str:
        """The lift in words."""
        return "nobody else has it" if not self.usual else f"{self.lift:.1f} times as often as usual"

    @property
    def percent(self) -> str:
        """How many of the events have it."""
        return _percent(self.share)

    @property
    def percent_usual(self) -> str:
        """How many of all answers are so."""
        return _percent(self.usual)

    @property
    def is_suspect(self) -> bool:
        return bool(self.value)


def on_events(
    project: int, found: Mapping[str, Counts], *, since: dt.datetime, environments: Collection[str]
) -> list[OnEvents]:
    """The flags of an error that began at `since`, suspects first, by lift.

    `found` has for each flag the values that events carried ("on", "off", or a variant) and how many. Four queries.
    """
    keys = sorted(found)[:MAX_FLAGS]
    if not keys:
        return []
    flags = {one.key: one for one in Flag.objects.filter(project=project, key__in=keys)}
    places = list(Environment.objects.filter(project=project, name__in=environments).values_list("pk", flat=True))
    usual = _usual(places, flags, since)
    changes = _changes(flags, since)
    rows = [
        dataclasses.replace(
            _judged(key, found[key], flags.get(key), usual.get(key, {})),
            change=changes.get(key), before=since - changes[key].at if key in changes else None,
        )
        for key in keys
    ]  # fmt: skip
    return sorted(rows, key=lambda one: (not one.is_suspect, -min(one.lift, 1e9) if one.is_suspect else 0, one.key))


def _percent(share: float) -> str:
    """As people say it; never 0% of what there is, nor 100% of what is not all."""
    if 0 < share < 0.01:
        return "less than 1%"
    return "nearly all" if 0.995 <= share < 1 else f"{share:.0%}"


def _judged(key: str, counts: Counts, flag: Flag | None, usual: Counts) -> OnEvents:
    """With the value that stands out most, if one does."""
    parts = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    events, answers = sum(counts.values()), sum(usual.values())
    plain = OnEvents(key, parts, flag)
    if not answers or events < LEAST_EVENTS:
        return plain
    off = flag.off_variant if flag and flag.off_variant and flag.type != Type.BOOLEAN else "off"
    suspects = [
        OnEvents(key, parts, flag, value=value, share=count / events, usual=usual.get(value, 0) / answers)
        for value, count in counts.items()
        if value != off and _stands_out(count, events, usual.get(value, 0), answers)
    ]  # fmt: skip
    return max(suspects, key=lambda one: one.lift, default=plain)


def _stands_out(count: int, events: int, exposed: int, answers: int) -> bool:
    """Whether so many of the events have it that chance does not explain it."""
    usual = exposed / answers
    if count / events < usual * LEAST_LIFT:
        return False
    # Of what nobody has, one in as many answers as there were is taken for usual.
    expected = max(usual, 1 / answers)
    deviation = math.sqrt(events * expected * (1 - expected)) or 1.0
    return (count - events * expected) / deviation >= LEAST_DEVIATIONS


def _usual(places: Collection[int], flags: Mapping[str, Flag], since: dt.datetime) -> dict[str, dict[str, int]]:
    """How often each flag answered what since the error began, at most in the last seven days, in the words of events:
    of a flag that is on or off just that.
    """
    start = max(since, clock.now() - COMPARED).replace(minute=0, second=0, microsecond=0)
    rows = (
        ExposureCount.objects.filter(environment__in=list(places), key__in=list(flags), minute__gte=start)
        .order_by()
        .values_list("key", "variant", "enabled")
        .annotate(n=Sum("count"))
    )
    found: dict[str, dict[str, int]] = {}
    for key, variant, enabled, n in rows:
        value = ("on" if enabled else "off") if flags[key].type == Type.BOOLEAN else variant
        counts = found.setdefault(key, {})
        counts[value] = counts.get(value, 0) + n
    return found


def _changes(flags: Mapping[str, Flag], since: dt.datetime) -> dict[str, Change]:
    """The last change of each flag in the day before the error began, or as it did."""
    of = {one.pk: key for key, one in flags.items()}
    around = Change.objects.filter(flag__in=list(of), at__gte=since - BEFORE, at__lte=since).order_by("pk")
    return {of[one.flag_id]: one for one in around}
