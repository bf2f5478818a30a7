"""How soon guards stop a flag that hurts, and how often one that does not: the simulations of the tests, at full size."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / part) for part in ("server/tests", "server/src")]

from rooms.rollouts import simulated  # noqa: E402 - found through the line above

RUNS = 300
EXPOSURES = 200_000
SHARES = (0.01, 0.1, 0.5)


def measure(_folder: Path, _options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for times in (20.0, 5.0, 2.0):
        yield _hurts(times)
    for share in SHARES:
        yield _changes_nothing(share)


def _hurts(times: float) -> dict[str, Any]:
    found = [simulated.run(seed, exposures=EXPOSURES, times=times, per_flush=20) for seed in range(RUNS)]
    needed = sorted(one.errors_on for one in found if one.is_conclusive)
    return {
        "times as many errors": times, "at": 0.1, "runs": RUNS, "stopped": len(needed),
        "errors with it on: median": statistics.median(needed), "9 of 10 within": needed[len(needed) * 9 // 10],
        "within 20": sum(n <= 20 for n in needed),
    }  # fmt: skip


def _changes_nothing(share: float) -> dict[str, Any]:
    began = time.process_time()
    stopped = sum(simulated.run(seed, exposures=EXPOSURES, share=share).is_conclusive for seed in range(RUNS))
    return {
        "times as many errors": 1.0, "at": share, "runs": RUNS, "exposures each": EXPOSURES, "stopped": stopped,
        "seconds": round(time.process_time() - began, 1),
    }  # fmt: skip
