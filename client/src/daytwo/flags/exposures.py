"""How often each flag answered what: counted where it answers, summed up here, delivered once."""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from daytwo._wire import dump, rfc3339
from daytwo.flags.evaluation import Evaluation

_MOST_MISSING = 100  # keys that no flag has; they may be anything
# Of a batch, below what a server takes (10,000 and 2 MB): one that is refused would be lost as a whole.
_MOST_ROWS = 10_000
_MOST_BYTES = 1_900_000
_ROW_BYTES = 80  # the names of the fields and the count


class Tally:
    """The counts of one process. A batch that may or may not have arrived is sent again as it was, not counted anew."""

    def __init__(self) -> None:
        self.instance = secrets.token_hex(8)
        self.missing: Counter[str] = Counter()
        self._sequence = 0
        self._since = time.time()
        self._batch: dict[str, Any] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the last batch is not known to have arrived."""
        return self._batch is not None

    def miss(self, key: object) -> None:
        """Note that a flag was asked for that there is none of."""
        if isinstance(key, str) and (key in self.missing or len(self.missing) < _MOST_MISSING):
            self.missing[key[:200]] += 1

    def batch(self, answers: Iterable[Evaluation]) -> dict[str, Any] | None:
        """The body to send: the one not known to have arrived, else what was counted since, if anything."""
        if self._batch is None:
            self._batch = self._collect(answers)
        return self._batch

    def arrived(self) -> None:
        """The last batch is settled: delivered, or refused for good."""
        self._batch = None

    def _collect(self, answers: Iterable[Evaluation]) -> dict[str, Any] | None:
        until = time.time()
        found = _count(answers)
        missing, self.missing = self.missing, Counter()
        since, self._since = min(self._since, until), until  # the clock may have been set back
        if not found and not missing:
            return None
        self._sequence += 1
        names = ("flag", "revision", "variant", "enabled", "reason", "count")
        return {
            "instance": self.instance, "sequence": self._sequence, "service": os.environ.get("DAYTWO_SERVICE") or None,
            "from": rfc3339(since), "to": rfc3339(until),
            "exposures": [dict(zip(names, (*what, count), strict=True)) for what, count in found.items()],
            "missing": [{"flag": key, "count": count} for key, count in missing.items()],
        }  # fmt: skip


def _count(answers: Iterable[Evaluation]) -> Counter[tuple[Any, ...]]:
    """What was not sent yet, as far as it fits; the rest stays for the next batch."""
    found: Counter[tuple[Any, ...]] = Counter()
    size = 0
    for answer in answers:
        count = answer.count
        if count == answer.sent:
            continue
        what = answer.flag, answer.revision, answer.variant, answer.enabled, answer.reason
        if what not in found:
            size += len(dump(what)) + _ROW_BYTES
            if len(found) >= _MOST_ROWS or size > _MOST_BYTES:
                break
        found[what] += count - answer.sent
        answer.sent = count
    return found
