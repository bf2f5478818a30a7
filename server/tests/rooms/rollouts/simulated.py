"""Visitors of an app with a flag at some percentage, and the errors they run into, as a guard hears of them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from daytwo_server.rollouts.evidence import Tally

FLUSH_S = 4.0  # how often an SDK reports exposures


def run(
    seed: int,
    *,
    exposures: int,
    share: float = 0.1,
    errors: float = 0.005,
    times: float = 1.0,
    per_flush: int = 200,
    share_at: Callable[[float], float] = lambda _at: 1.0,
    errors_at: Callable[[float], float] = lambda _at: 1.0,
) -> Tally:
    """What was counted when the guard had enough, or after that many exposures if it never had.

    With the flag on an exposure leads to an error `times` as often. `share_at` and `errors_at` say how many times as
    large the share and both error rates are at a time, which runs from 0 to 1.
    """
    rng, tally, at, seen = random.Random(seed), Tally(), 0.0, 0
    while seen < exposures:
        progress = seen / exposures
        on = _binomial(rng, per_flush, share * share_at(progress))
        rate = errors * errors_at(progress)
        at, seen = at + FLUSH_S, seen + per_flush
        failed_on = _binomial(rng, on, min(1.0, rate * times))
        tally.fail(on=failed_on, off=_binomial(rng, per_flush - on, rate), at=at - 1)
        tally.expose(on=on, off=per_flush - on, at=at)
        if tally.is_conclusive:
            break
    return tally


def _binomial(rng: random.Random, n: int, p: float) -> int:
    """How many of n happen."""
    if n * p * (1 - p) > 9:
        return min(n, max(0, round(rng.gauss(n * p, math.sqrt(n * p * (1 - p))))))
    if p <= 0 or n <= 0:
        return 0
    if p >= 1:
        return n
    # From one that happens to the next: quick where few do.
    found, place, scale = 0, 0, math.log1p(-p)
    while True:
        place += int(math.log(1 - rng.random()) / scale) + 1
        if place > n:
            return found
        found += 1
