"""Work that a transaction leaves behind as a row: `@job`, `enqueue`, `Worker`. See docs/why/facts-and-jobs.md.

This is the whole interface; another engine may one day stand behind it.
"""

from daytwo_server.core.jobs import upkeep as upkeep
from daytwo_server.core.jobs.queue import Stats, discard, enqueue, enqueue_many, hurry, restore, retry, stats
from daytwo_server.core.jobs.registry import UnknownKind, job, periodic, periodic_key
from daytwo_server.core.jobs.worker import Worker, run_due_jobs

__all__ = [
    "Stats", "UnknownKind", "Worker", "discard", "enqueue", "enqueue_many", "hurry", "job", "periodic", "periodic_key",
    "restore", "retry", "run_due_jobs", "stats",
]  # fmt: skip
