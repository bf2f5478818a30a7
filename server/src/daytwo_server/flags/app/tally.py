"""What this process answered itself, counted until it is written."""

import time
from collections import Counter

from daytwo.flags import Evaluation
from daytwo.flags.definition import KEY
from daytwo_server.flags.app.batches import Batch, Exposure, Missing

SERVICE = "OFREP"
_MOST_MISSING = 100


class Tally:
    """Counts of one environment, on one event loop."""

    def __init__(self, environment: int) -> None:
        self.environment = environment
        self.answers: dict[Evaluation, int] = {}  # as many as definitions can answer, so no more than those
        self.missing: Counter[str] = Counter()
        self._since = time.time()

    def miss(self, key: str) -> None:
        """Note that a flag was asked for that there is none of."""
        if (key in self.missing or len(self.missing) < _MOST_MISSING) and KEY.fullmatch(key):
            self.missing[key] += 1

    def take(self) -> Batch | None:
        """What was counted since it was last taken, if anything."""
        until = time.time()
        since, self._since = min(self._since, until), until
        if not self.answers and not self.missing:
            return None
        answers, self.answers = self.answers, {}
        missing, self.missing = self.missing, Counter()
        return Batch(
            environment=self.environment, service=SERVICE, since=since, until=until,
            exposures=[
                Exposure(answer.flag, count, answer.revision, answer.variant, answer.enabled)
                for answer, count in answers.items()
            ],
            missing=[Missing(key, count) for key, count in missing.items()],
        )  # fmt: skip
