"""What customers are promised, and the clocks that count towards it."""

import datetime as dt

from django.db import models
from django.db.models import Q

from daytwo_server.calendars.models import Calendar
from daytwo_server.tickets.models import Ticket

MAX_NAME = 100


class Kind(models.TextChoices):
    """What is promised."""

    FIRST_RESPONSE = "first_response", "First reply"
    NEXT_RESPONSE = "next_response", "Next reply"
    RESOLUTION = "resolution", "Resolve"


class State(models.TextChoices):
    """`breached` stays, also when the answer came after all; then the clock has ended."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"


class Policy(models.Model):
    """A promise: within how many seconds of working time (of the calendar; None: around the clock).

    For tickets with one of `priorities` and a customer with one of `plans`; none of them means any. The first policy
    that fits is asked, those that fit everything after all others. `since` is when what it says began to hold.
    """

    name = models.CharField(max_length=MAX_NAME)
    position = models.PositiveSmallIntegerField()
    priorities = models.JSONField(default=list)
    plans = models.JSONField(default=list)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, related_name="+")
    first_response_s = models.PositiveIntegerField(null=True)
    next_response_s = models.PositiveIntegerField(null=True)
    resolution_s = models.PositiveIntegerField(null=True)
    since = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    @property
    def takes_all(self) -> bool:
        return not self.priorities and not self.plans

    def target(self, kind: str) -> dt.timedelta | None:
        """What is promised of a kind; None when nothing is."""
        seconds: int | None = getattr(self, f"{kind}_s")
        return None if seconds is None else dt.timedelta(seconds=seconds)


class Standing(models.Model):
    """Which policy a ticket goes by, and since when: what was over before was never promised by it."""

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, primary_key=True, related_name="+")
    policy = models.ForeignKey(Policy, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    since = models.DateTimeField()


class Clock(models.Model):
    """How far one promise about one ticket is: derived from the ticket's messages, see `clocks`.

    `round` counts the times that a customer came back, for `next_response` alone. While `ticking`, `due_at` is when the
    promise runs out and `warn_at` when four fifths of it are over; of a clock that was breached, `due_at` is when that
    happened. `elapsed_s` is the working time that had passed when it last stopped. `ended_at` is when the answer came,
    and `wall_s` how long that took by the wall clock.
    `warned_at` and `breached_at` are when others were told; `next_at` is when there is something to tell next.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind)
    round = models.PositiveIntegerField(default=0)
    policy = models.ForeignKey(Policy, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State)
    ticking = models.BooleanField()
    target_s = models.PositiveIntegerField()
    elapsed_s = models.PositiveIntegerField()
    wall_s = models.PositiveIntegerField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    warn_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "kind", "round"], name="clock_once")]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="clock_next"),
            models.Index(fields=["state", "ticket"], name="clock_state"),
            # With all that reports read, so that they read the index alone.
            models.Index(
                fields=["ended_at", "kind", "state", "elapsed_s", "wall_s"],
                condition=Q(ended_at__isnull=False),
                name="clock_ended",
            ),
        ]

    @property
    def remaining(self) -> dt.timedelta:
        """The working time that was left when it last stopped."""
        return dt.timedelta(seconds=max(0, self.target_s - self.elapsed_s))
