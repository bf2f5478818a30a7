"""What runs by itself for the installation's own sake."""

import datetime as dt
import time

from daytwo_server.core import clock, jobs
from daytwo_server.core.stores import DEFAULT, TELEMETRY
from daytwo_server.operate import selectors, services
from daytwo_server.operate.backup import runs
from daytwo_server.operate.models import StoreSize

STEP = 100
PAUSE_S = 0.05
SIZES_KEPT = dt.timedelta(days=30)


@jobs.periodic(dt.timedelta(minutes=5))
@jobs.job("operate.plan_backups", max_attempts=1)
def plan_backups() -> None:
    """Begin the scheduled backup when its time has come. Looks often, because the schedule can be changed on a page."""
    runs.begin_if_due()


@jobs.job(runs.JOB, lease=dt.timedelta(minutes=1))
def back_up(run: int) -> None:
    """Make one backup and prove that it can be restored."""
    runs.perform(run)


@jobs.job("operate.change_jobs")
def change_jobs(verb: str, kind: str, until: str) -> None:
    """Retry, discard or put back every dead letter that somebody chose, in short steps that let others write."""
    found = services.ended_jobs(verb, kind=kind, until=dt.datetime.fromisoformat(until)).order_by("run_at", "pk")
    while ids := list(found.values_list("pk", flat=True)[:STEP]):
        services.settle(verb, ids)
        time.sleep(PAUSE_S)


@jobs.periodic("7 * * * *")
@jobs.job("operate.measure_stores")
def measure_stores() -> None:
    """Note how large the stores are: from that the page Ingest health says how long the disk will last."""
    now = clock.now()
    used = {alias: selectors.used_bytes(alias) for alias in (DEFAULT, TELEMETRY)}
    StoreSize.objects.create(at=now, default_bytes=used[DEFAULT], telemetry_bytes=used[TELEMETRY])
    StoreSize.objects.filter(at__lt=now - SIZES_KEPT).delete()
