"""A worker in a process of its own, for the tests that kill it: `python killed_worker.py`."""

import datetime as dt
import os
import signal
import sys
import time
from pathlib import Path

LEASE = dt.timedelta(seconds=1)


def register():
    from daytwo_server.core import jobs

    @jobs.job("tests.sleep", lease=LEASE)
    def sleep(marks: str, seconds: float) -> None:
        _mark(marks, "started")
        time.sleep(seconds)
        _mark(marks, "finished")

    @jobs.job("tests.poison", lease=LEASE, max_attempts=3)
    def poison(marks: str) -> None:
        _mark(marks, "started")
        os.kill(os.getpid(), signal.SIGKILL)

    return sleep, poison


def _mark(marks: str, word: str) -> None:
    with Path(marks).open("a") as file:
        file.write(word + "\n")


if __name__ == "__main__":
    import django

    django.setup()
    register()
    from daytwo_server.core.jobs import Worker, registry

    registry._schedules.clear()  # the rooms' own periodic jobs would come in between
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    worker = Worker()
    sys.stdout.write("working\n")  # said first: a job may end the process at once
    sys.stdout.flush()
    worker.start()
    while not stop:
        time.sleep(0.05)
    sys.exit(0 if worker.stop(dt.timedelta(seconds=float(os.environ.get("GRACE_S", "5")))) else 1)
