"""Which flags are watched while they roll out, what was counted of them, and what came of it."""

from django.db import models

from daytwo_server.core import clock
from daytwo_server.flags.models import MAX_REASON, State


class Guard(models.Model):
    """What was counted of a flag in an environment since its latest revision, in `tally` (`evidence.Tally`).

    The row stays when nobody watches any more, so that what was counted last can still be read.
    """

    state = models.OneToOneField(State, on_delete=models.CASCADE, primary_key=True, related_name="+")
    watching = models.BooleanField(default=True)
    revision = models.BigIntegerField()
    since = models.DateTimeField(default=clock.now)
    tally = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["state"], condition=models.Q(watching=True), name="guard_watching")]


class Verdict(models.Model):
    """Errors gathered where a flag was on: what they were, and what was done about it; once a revision."""

    class Did(models.TextChoices):
        NOTHING = "nothing", "Changed nothing"
        HELD = "held", "Held the ramp"
        STEPPED_BACK = "stepped_back", "Went a step back"
        KILLED = "killed", "Switched it off"

    state = models.ForeignKey(State, on_delete=models.CASCADE, related_name="+", db_index=False)
    revision = models.BigIntegerField()
    at = models.DateTimeField(default=clock.now)
    did = models.CharField(max_length=12, choices=Did)
    reason = models.CharField(max_length=MAX_REASON)
    tally = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["state", "revision"], name="verdict_once")]
