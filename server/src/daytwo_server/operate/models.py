"""What this room notes of the installation itself."""

from django.db import models

from daytwo_server.accounts.models import User
from daytwo_server.core import clock


class BackupRun(models.Model):
    """One backup: who or what asked for it, how far it is, and what became of it.

    `planned_at` is the time of the schedule that a scheduled one stands for. `heard_at` moves while its process lives.
    `file` is where it lies and `checked` how it was proven.
    """

    class Cause(models.TextChoices):
        SCHEDULED = "scheduled", "by schedule"
        MANUAL = "manual", "by hand"
        COMMAND = "command", "daytwo backup"

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    class Checked(models.TextChoices):
        NO = "", "not tested"
        LISTED = "listed", "listing and checksums tested"
        RESTORED = "restored", "restored and tested"

    cause = models.CharField(max_length=10, choices=Cause)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    planned_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(default=clock.now)
    step = models.CharField(max_length=40, default="")
    percent = models.PositiveSmallIntegerField(default=0)
    file = models.CharField(max_length=500, default="")
    bytes = models.BigIntegerField(default=0)
    checked = models.CharField(max_length=8, choices=Checked, default=Checked.NO, blank=True)
    error = models.CharField(max_length=500, default="")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["-started_at", "-id"], name="backup_newest")]


class StoreSize(models.Model):
    """How many bytes of the two stores held data at one moment, free pages left out."""

    at = models.DateTimeField(primary_key=True)
    default_bytes = models.BigIntegerField()
    telemetry_bytes = models.BigIntegerField()
