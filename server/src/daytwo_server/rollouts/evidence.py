"""Whether errors gather where a flag is on: a test that may be looked at after each error. docs/why/guarded-rollouts.md

No Django in here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

# How often a flag that hurts nobody is taken for one that does, at most, however often and long one looks.
ALPHA = 0.001
# How many times as many errors an exposure leads to with the flag on, and how likely that is held to be beforehand:
# what is worth a guard's haste is some times as many.
RATIOS = {1.5: 0.1, 2.0: 0.15, 3.0: 0.25, 5.0: 0.3, 10.0: 0.2}
ENOUGH = math.log(1 / ALPHA)

RECENT_S = 30.0  # after which a count weighs 1/e in the share of these moments
_PRIOR = 50.0  # exposures as which the share so far counts in the share of these moments
_CAUTION = 0.5  # standard errors on top of a share: what few exposures say is not to be taken at its word


@dataclass
class Tally:
    """What was counted of a flag in one environment since it was changed. Moments are unix seconds.

    `on` and `off` are exposures that say they are of this revision, `all_on` and `all_off` those and the ones of
    processes that have not heard of it yet; `recent_on` and `recent_off` fade. Errors wait until exposures have come
    in after them; then they are tested, and are `errors_on` and `errors_off`.
    """

    on: int = 0
    off: int = 0
    all_on: int = 0
    all_off: int = 0
    recent_on: float = 0.0
    recent_off: float = 0.0
    exposed_at: float = 0.0
    waiting_on: int = 0
    waiting_off: int = 0
    errors_on: int = 0
    errors_off: int = 0
    weights: list[float] = field(default_factory=lambda: [0.0] * len(RATIOS))

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Tally:
        """What `kept` wrote, of this version or another one."""
        known = {one.name for one in fields(cls)}
        found = cls(**{name: value for name, value in kept.items() if name in known})
        return found if len(found.weights) == len(RATIOS) else cls()

    def kept(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @property
    def share(self) -> float:
        """Which share of the exposures had it on: 0 to 1."""
        return self.all_on / (self.all_on + self.all_off) if self.all_on else 0.0

    @property
    def errors(self) -> int:
        """Those that were tested."""
        return self.errors_on + self.errors_off

    @property
    def times(self) -> float | None:
        """How many times as many errors an exposure leads to with the flag on; None where that cannot be said."""
        if not (self.all_on and self.all_off and self.errors_off):
            return None
        return (self.errors_on / self.all_on) / (self.errors_off / self.all_off)

    @property
    def is_conclusive(self) -> bool:
        """Whether chance does not explain it any more."""
        return _mixed(self.weights) >= ENOUGH

    def expose(self, *, on: int, off: int, at: float, older_on: int = 0, older_off: int = 0) -> None:
        """Count exposures that came in at this moment, and test the errors that waited for them.

        The older ones are of processes that answered by an earlier revision.
        """
        fade = math.exp(-max(0.0, at - self.exposed_at) / RECENT_S)
        self.on, self.off = self.on + on, self.off + off
        on, off = on + older_on, off + older_off
        self.all_on, self.all_off = self.all_on + on, self.all_off + off
        self.recent_on, self.recent_off = self.recent_on * fade + on, self.recent_off * fade + off
        self.exposed_at = max(at, self.exposed_at)
        waiting, self.waiting_on, self.waiting_off = (self.waiting_on, self.waiting_off), 0, 0
        self._test(*waiting)

    def fail(self, *, on: int, off: int, at: float) -> None:
        """Count errors that came in at this moment, the first of each user and issue."""
        if at < self.exposed_at:
            self._test(on, off)
        else:
            self.waiting_on, self.waiting_off = self.waiting_on + on, self.waiting_off + off

    def _test(self, on: int, off: int) -> None:
        if not on + off:
            return
        self.errors_on, self.errors_off = self.errors_on + on, self.errors_off + off
        expected = self._expected()
        for number, ratio in enumerate(RATIOS):
            scale = math.log(expected * ratio + 1 - expected)
            self.weights[number] += on * (math.log(ratio) - scale) - off * scale

    def _expected(self) -> float:
        """The share of errors that have the flag on if it does no harm: of several estimates, the highest.

        Right after a change processes answer by the old revision and by the new one, and so do the errors; and who
        comes changes by the hour, so that a burst of errors has to be compared with the exposures around it.
        """
        so_far = max(_upper(self.on, self.off), _upper(self.all_on, self.all_off))
        recent = self.recent_on + self.recent_off
        return max(so_far, (self.recent_on + _PRIOR * so_far) / (recent + _PRIOR))


def _upper(on: int, off: int) -> float:
    """A share, rounded up by what its exposures are too few to tell."""
    if not on + off:
        return 0.0
    n = on + off + 2
    share = (on + 1) / n
    return min(1.0, share + _CAUTION * math.sqrt(share * (1 - share) / n))


def _mixed(weights: list[float]) -> float:
    """The logarithm of how much more likely it is by all ratios together than by chance."""
    logs = [one + math.log(prior) for one, prior in zip(weights, RATIOS.values(), strict=True)]
    highest = max(logs)
    return highest + math.log(sum(math.exp(one - highest) for one in logs))
