"""Issues and what they are made of.

`Event` is the small row that lists and counts read; it is written in the transaction that moves the counters, so an
event is visible only once everything about it is. Its body lies in the telemetry store, see `EventBody`.
"""

from django.conf import settings
from django.db import models

from daytwo_server.catalog.models import Project

SLOT_S = 300  # a Bucket spans five minutes


class Issue(models.Model):
    """One bug: all events that the grouping holds to be the same."""

    class Status(models.TextChoices):
        UNRESOLVED = "unresolved", "Unresolved"
        RESOLVED = "resolved", "Resolved"
        IGNORED = "ignored", "Ignored"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=200)
    value = models.TextField()
    title = models.CharField(max_length=300)
    culprit = models.CharField(max_length=300)
    level = models.CharField(max_length=10)
    platform = models.CharField(max_length=40)
    handled = models.BooleanField(null=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.UNRESOLVED)
    status_at = models.DateTimeField()
    regressed_at = models.DateTimeField(null=True)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    count = models.BigIntegerField(default=0)
    users = models.IntegerField(default=0)
    first_release = models.CharField(max_length=250, default="")
    last_release = models.CharField(max_length=250, default="")
    explanation = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["-last_seen", "-id"], name="issue_seen"),
            models.Index(fields=["status", "-last_seen", "-id"], name="issue_status_seen"),
            models.Index(fields=["project", "status", "-last_seen", "-id"], name="issue_project_seen"),
            models.Index(fields=["status", "-first_seen", "-id"], name="issue_status_first"),
            models.Index(fields=["status", "-count", "-id"], name="issue_status_count"),
            models.Index(fields=["status", "-users", "-id"], name="issue_status_users"),
            # The status is no part of its condition: it is a parameter of the query, which SQLite would not recognise.
            models.Index(
                fields=["status", "-last_seen", "-id"],
                condition=models.Q(regressed_at__isnull=False),
                name="issue_regressed",
            ),
            models.Index(fields=["project", "-first_seen", "-id"], name="issue_project_first"),
            models.Index(fields=["project", "first_release", "-id"], name="issue_project_release"),
            models.Index(
                fields=["project", "-regressed_at", "-id"],
                condition=models.Q(regressed_at__isnull=False),
                name="issue_project_regressed",
            ),
        ]

    @property
    def short_id(self) -> str:
        return f"ERR-{self.pk}"


class Grouping(models.Model):
    """A hash that leads to an issue. Several may lead to one: that is how issues merge and algorithms change."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="groupings")
    algorithm = models.SmallIntegerField()
    kind = models.CharField(max_length=20)
    hash = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hash", "project", "algorithm"], name="grouping_once")]


class Event(models.Model):
    """One occurrence. `user_key` is a hash that tells users apart, empty when the event names none."""

    event_id = models.CharField(max_length=32)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="+", db_index=False)
    timestamp = models.DateTimeField()
    received = models.DateTimeField()
    level = models.CharField(max_length=10)
    release = models.CharField(max_length=250)
    environment = models.CharField(max_length=64)
    transaction = models.CharField(max_length=200)
    user_key = models.CharField(max_length=32)
    customer_id = models.BigIntegerField(null=True)
    trace_id = models.CharField(max_length=32)
    message = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(fields=["issue", "-timestamp", "-id"], name="event_of_issue")]
        constraints = [models.UniqueConstraint(fields=["event_id", "project"], name="event_once")]


class EventBody(models.Model):
    """The scrubbed event, zstd-compressed JSON, in the telemetry store.

    `segment` and `sequence` are the spool position that wrote the row. After a crash between the two stores the same
    position comes again and is a replay; another position with the same event id is a duplicate.
    """

    pk = models.CompositePrimaryKey("event_id", "project_id")
    event_id = models.CharField(max_length=32)
    project_id = models.BigIntegerField()
    segment = models.BigIntegerField()
    sequence = models.BigIntegerField()
    received = models.DateTimeField()
    body = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["received"], name="eventbody_received")]


class Bucket(models.Model):
    """Events of an issue within five minutes; `slot` counts them since 1970."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="+", db_index=False)
    slot = models.IntegerField()
    count = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "slot"], name="bucket_once")]


class Facet(models.Model):
    """How often a tag of an issue had a value."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    value = models.CharField(max_length=200)
    count = models.IntegerField()
    last_seen = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["key", "value", "issue"], name="facet_search")]
        constraints = [models.UniqueConstraint(fields=["issue", "key", "value"], name="facet_once")]


class FacetKey(models.Model):
    """How many values a tag of an issue has had. Past `MAX_VALUES` new ones are not kept: a tag that is different in
    every event (a request id) tells nothing by its counts and would cost a row for each.
    """

    MAX_VALUES = 1000

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    values = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "key"], name="facetkey_once")]


class IssueUser(models.Model):
    """A user who ran into an issue; `customer_id` when the event named one we can know again."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="+", db_index=False)
    user_key = models.CharField(max_length=32)
    customer_id = models.BigIntegerField(null=True, db_index=True)
    count = models.IntegerField()
    last_seen = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user_key"], name="issueuser_key")]
        constraints = [models.UniqueConstraint(fields=["issue", "user_key"], name="issueuser_once")]


class Activity(models.Model):
    """A change of an issue's state, who made it (nobody: Daytwo itself) and what it was before, so it can be undone.

    A comment has its words in `after["text"]`; deleted, it stays for a day.
    """

    class Kind(models.TextChoices):
        OPENED = "opened"
        RESOLVED = "resolved"
        IGNORED = "ignored"
        UNRESOLVED = "unresolved"
        REGRESSED = "regressed"
        ASSIGNED = "assigned"
        COMMENTED = "commented"

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="activities", db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["issue", "-at", "-id"], name="activity_of_issue")]
