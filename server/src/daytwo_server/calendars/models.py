"""When people work: business calendars, for whatever promises something within working time."""

from django.db import models
from django.db.models import F, Q

MAX_NAME = 100


class Calendar(models.Model):
    """Working hours in a time zone. Around the clock is no row: whoever needs hours takes None for it."""

    name = models.CharField(max_length=MAX_NAME, unique=True)
    time_zone = models.CharField(max_length=64)
    archived_at = models.DateTimeField(null=True)


class Interval(models.Model):
    """Working time on a weekday (0 is Monday), in minutes since midnight; the end is not part of it.

    What goes past midnight is two of them.
    """

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="intervals")
    weekday = models.PositiveSmallIntegerField()
    begins = models.PositiveSmallIntegerField()
    ends = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__lte=6, ends__lte=1440, begins__lt=F("ends")), name="interval_within_a_day"
            ),
        ]


class Holiday(models.Model):
    """A day on which nobody works, once or on that day of every year."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="holidays", db_index=False)
    date = models.DateField()
    name = models.CharField(max_length=MAX_NAME)
    yearly = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "date"], name="holiday_once")]
