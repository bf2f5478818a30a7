"""Backups by the clock and by button: who asked, how far it is, what became of it."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

from django.db import DatabaseError, transaction

import daytwo
from daytwo_server.accounts.models import User
from daytwo_server.core import audit, clock, conf, facts, jobs, live, preferences, signing
from daytwo_server.core.jobs.registry import next_after
from daytwo_server.core.models import Job
from daytwo_server.core.ref import Ref
from daytwo_server.operate.backup import checking, files, rotation, taking
from daytwo_server.operate.backup.problems import BackupError, Busy, Damaged
from daytwo_server.operate.backup.progress import Progress
from daytwo_server.operate.facts import BackupFailed, BackupTaken
from daytwo_server.operate.models import BackupRun

log = daytwo.get_logger("daytwo.backup")

JOB = "operate.back_up"
TOPIC = "operate.backup"  # of `core.live`
# A run that was not heard of for so long has lost its process. Its job comes back when the lease ends, within a minute.
SILENCE = dt.timedelta(minutes=3)
_TELL_S = 1.0
_CUT_OFF = "The process that made it ended. What it had begun is removed by the next one."
State, Cause = BackupRun.State, BackupRun.Cause


class NotHere(Exception):
    """This process has no folder to write to; another one that runs jobs may have."""


def folder() -> Path | None:
    """Where scheduled backups go; None when none are made."""
    return Path(conf.current().backup_dir).absolute() if conf.current().backup_dir else None


def planned(now: dt.datetime) -> dt.datetime:
    """When the next scheduled backup is due. It may be past; the first is due at once."""
    last = BackupRun.objects.filter(cause=Cause.SCHEDULED).order_by("-planned_at").first()
    if last is None or last.planned_at is None:
        return now
    return next_after(preferences.current().backup_every, last.planned_at, now=last.planned_at)


def begin_if_due() -> BackupRun | None:
    """Ask for the scheduled backup when its time has come and none is under way."""
    now = clock.now()
    if folder() is None or planned(now) > now or unfinished():
        return None
    # What was missed while nothing ran is one backup: the next one is planned from now.
    return _ask_for(Cause.SCHEDULED, planned_at=now)


def begin_now(actor: User) -> BackupRun | None:
    """Ask for a backup; None when one is under way already."""
    if folder() is None or unfinished():
        return None
    return _ask_for(Cause.MANUAL, actor=actor)


def _ask_for(cause: str, *, actor: User | None = None, planned_at: dt.datetime | None = None) -> BackupRun:
    with transaction.atomic():
        run = BackupRun.objects.create(cause=cause, actor=actor, planned_at=planned_at)
        jobs.enqueue(JOB, run=run.pk)
        if actor is not None:
            audit.record("operate:backup:started", actor=actor, ref=Ref("backup", run.pk))
        live.bump(TOPIC)
    return run


def unfinished() -> BackupRun | None:
    """The run that waits or goes on, if its process is alive."""
    alive = BackupRun.objects.filter(state__in=[State.WAITING, State.RUNNING], heard_at__gt=clock.now() - SILENCE)
    return alive.order_by("-started_at").first()


def perform(run_id: int) -> None:
    """Make the backup, prove that it can be restored, remove old ones, and record how it went.

    Raises `NotHere` and `Busy`, which end by themselves, and nothing else: a backup that failed is tried again by the
    schedule, not within seconds.
    """
    target = folder()
    if target is None:
        raise NotHere("DAYTWO_BACKUP_DIR is not set for this process. Set it for every process that runs jobs.")
    run = BackupRun.objects.filter(pk=run_id).exclude(state=State.DONE).first()
    if run is None:
        return
    _note_cut_off(run)
    BackupRun.objects.filter(pk=run.pk).update(
        state=State.RUNNING, started_at=clock.now(), heard_at=clock.now(), error=""
    )
    work = _Work(target / rotation.name_of(clock.now()))
    work.follow(run)
    if isinstance(work.problem, Busy):
        BackupRun.objects.filter(pk=run.pk).update(state=State.WAITING)
        raise work.problem
    _finish(run, work)


def _note_cut_off(run: BackupRun) -> None:
    """Runs before this one that nobody will finish."""
    lost = BackupRun.objects.filter(state__in=[State.WAITING, State.RUNNING], heard_at__lt=clock.now() - SILENCE)
    lost.exclude(pk=run.pk).update(state=State.FAILED, finished_at=clock.now(), error=_CUT_OFF)


class _Work:
    """One backup, on a thread of its own that gives way to everything else.

    That thread leaves Django's connections alone: a job's own thread tells how far it is.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.progress = Progress()
        self.taken: taking.Taken | None = None
        self.how = ""
        self.problem: BackupError | None = None
        self._crash: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="backup", daemon=True)

    def follow(self, run: BackupRun) -> None:
        """Work, and tell of it once a second."""
        self._reserve = preferences.current().min_free_disk_mb * files.MIB
        self._keep = preferences.current().backup_keep
        self._thread.start()
        while self._thread.is_alive():
            self._thread.join(_TELL_S)
            self._tell(run)
        if self._crash:
            log.error("a backup failed", self._crash)
            self.problem = BackupError(f"{type(self._crash).__name__}: the log says more.")

    def _tell(self, run: BackupRun) -> None:
        try:
            with transaction.atomic():
                BackupRun.objects.filter(pk=run.pk).update(
                    heard_at=clock.now(), percent=self.progress.percent, step=self.progress.step[:40]
                )
                live.bump(TOPIC)
        except DatabaseError:  # a store that is busy for a moment is no reason to give up
            log.warning("how far the backup is could not be told")

    def _run(self) -> None:
        files.in_background()
        try:
            self._work()
        except BackupError as problem:
            self.problem = problem
        except Exception as crash:  # noqa: BLE001 - told and logged by the thread that waits
            self._crash = crash

    def _work(self) -> None:
        self.target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.taken = taking.take(self.target, self.progress, reserve=self._reserve)
        try:
            self.how = checking.check(self.target, self.progress).how
        except Damaged:
            self.target.rename(self.target.with_name(self.target.name + rotation.DAMAGED))
            raise
        self.progress.begin("removing old ones")
        ours = {taking.fingerprint(key) for key in signing.secret_keys()}
        rotation.rotate(self.target.parent, self._keep, ours)


def _finish(run: BackupRun, work: _Work) -> None:
    """Record the outcome. A backup that is there but could not be tested is one, and says why it was not."""
    failed = work.taken is None or isinstance(work.problem, Damaged)
    error = str(work.problem or "")[:500]
    with transaction.atomic():
        BackupRun.objects.filter(pk=run.pk).update(
            state=State.FAILED if failed else State.DONE,
            finished_at=clock.now(),
            percent=100,
            step="",
            file="" if failed or work.taken is None else str(work.taken.path),
            bytes=work.taken.bytes if work.taken else 0,
            checked=work.how,
            error=error,
        )
        if failed or work.taken is None:
            facts.record(BackupFailed(run=run.pk, cause=run.cause))
        else:
            facts.record(_fact(run, work.taken, work.how))
        live.bump(TOPIC)
    if failed:
        log.error("there is no backup", reason=error)


def _fact(run: BackupRun, taken: taking.Taken, checked: str) -> BackupTaken:
    return BackupTaken(run=run.pk, bytes=taken.bytes, seconds=round(taken.seconds, 1), checked=checked)


def note_command(taken: taking.Taken) -> None:
    """List a backup that the command line made, where the tables for it are there: before an upgrade they are not."""
    try:
        with transaction.atomic():
            run = BackupRun.objects.create(
                cause=Cause.COMMAND,
                state=State.DONE,
                started_at=clock.now() - dt.timedelta(seconds=taken.seconds),
                finished_at=clock.now(),
                percent=100,
                file=str(taken.path),
                bytes=taken.bytes,
            )
            facts.record(_fact(run, taken, ""))
            live.bump(TOPIC)
    except DatabaseError as problem:
        log.warning("the backup is made, but cannot be listed on the page", reason=str(problem).partition("\n")[0])


def tidy_after_restore() -> int:
    """Forget the backup that was being made, which was this one. Returns how many other jobs wait."""
    BackupRun.objects.filter(state__in=[State.WAITING, State.RUNNING]).delete()
    Job.objects.filter(kind=JOB).delete()
    return Job.objects.filter(state__in=[Job.State.READY, Job.State.LEASED]).count()
