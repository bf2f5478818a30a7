"""Flags, what each is in each environment, who is excepted, what changed, and how often it was asked.

The words and shapes of a definition are those of docs/reference/flag-snapshot.md; the code that reads and evaluates
them is the client's (`daytwo.flags`).
"""

import datetime as dt

from django.db import models
from django.db.models import Q

from daytwo_server.accounts.models import User
from daytwo_server.catalog.models import Environment, Project
from daytwo_server.core import clock

MAX_KEY = 200  # the same as `daytwo.flags.definition.KEY`
MAX_NAME = 200
MAX_UNIT = 200  # a user's or an organization's id, as `customers` keeps them
MAX_REASON = 500


class Kind(models.TextChoices):
    """What a flag is for. The last two are meant to stay, so they never count as stale."""

    RELEASE = "release", "Release"
    EXPERIMENT = "experiment", "Experiment"
    OPS = "ops", "Operational switch"
    PERMISSION = "permission", "Permission"


PERMANENT = frozenset({Kind.OPS, Kind.PERMISSION})


class Type(models.TextChoices):
    """Of what a flag's variants are values."""

    BOOLEAN = "boolean", "On or off"
    STRING = "string", "Text"
    INTEGER = "integer", "Whole number"
    FLOAT = "float", "Number"
    OBJECT = "object", "JSON"


class Flag(models.Model):
    """What a flag is in all environments of its project. The key never changes.

    `variants` are [{name, value, weight?}]; an empty `default_variant` or `off_variant` means "on" or "off".
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="flags", db_index=False)
    key = models.CharField(max_length=MAX_KEY)
    name = models.CharField(max_length=MAX_NAME)
    description = models.TextField(blank=True, default="")
    type = models.CharField(max_length=8, choices=Type, default=Type.BOOLEAN)
    variants = models.JSONField(default=list)
    off_variant = models.CharField(max_length=100, blank=True, default="")
    default_variant = models.CharField(max_length=100, blank=True, default="")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.RELEASE)
    client_exposed = models.BooleanField(default=False)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    tags = models.JSONField(default=list)
    remove_by = models.DateField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="flag_once")]

    @property
    def is_permanent(self) -> bool:
        return self.kind in PERMANENT


class State(models.Model):
    """What a flag is in one environment. Without a row it is off for everybody.

    `rollout` is in thousandths of a percent, 0 to 100,000; None is all. `definition` holds the fields of the snapshot
    that only an evaluator looks into: `allowedPlans, allowedUsers, split, bucketBy, rules, prerequisites`. `guard` is
    {enabled, action}; empty, it is what the kind of flag has by itself. `revision` is the environment's when this last
    changed. `killed_by` is "guard", or the name of whoever did it, while `killed`.
    """

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="states", db_index=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="flag_states")
    enabled = models.BooleanField(default=False)
    killed = models.BooleanField(default=False)
    killed_by = models.CharField(max_length=150, blank=True, default="")
    kill_reason = models.CharField(max_length=MAX_REASON, blank=True, default="")
    killed_at = models.DateTimeField(null=True)
    salt = models.CharField(max_length=MAX_KEY)
    rollout = models.PositiveIntegerField(null=True)
    definition = models.JSONField(default=dict)
    guard = models.JSONField(default=dict)
    revision = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(default=clock.now)
    last_asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flag", "environment"], name="flag_state_once")]


class Override(models.Model):
    """One user or one organization for whom a flag is something else. `variant` is empty when `enabled` says it.

    One with a `ticket` goes when that is closed. Past `expires_at` it is not there, also while its row still is.
    """

    state = models.ForeignKey(State, on_delete=models.CASCADE, related_name="overrides", db_index=False)
    user_id = models.CharField(max_length=MAX_UNIT, blank=True, default="")
    organization_id = models.CharField(max_length=MAX_UNIT, blank=True, default="")
    enabled = models.BooleanField(null=True)
    variant = models.CharField(max_length=100, blank=True, default="")
    expires_at = models.DateTimeField(null=True)
    ticket = models.BigIntegerField(null=True)
    by = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state", "user_id", "organization_id"], name="flag_override_once"),
            models.CheckConstraint(condition=Q(user_id="") ^ Q(organization_id=""), name="flag_override_of_one"),
        ]
        indexes = [
            models.Index(fields=["user_id"], condition=~Q(user_id=""), name="flag_override_user"),
            models.Index(fields=["organization_id"], condition=~Q(organization_id=""), name="flag_override_org"),
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="flag_override_ends"),
            models.Index(fields=["ticket"], condition=Q(ticket__isnull=False), name="flag_override_ticket"),
        ]


class Segment(models.Model):
    """Conditions with a name, for the rules of all flags of a project. `revision` is how often it changed."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="segments", db_index=False)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, default="")
    conditions = models.JSONField(default=list)
    revision = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="segment_once")]


class Edition(models.Model):
    """How often the flags of an environment changed. Whoever writes takes this row first, so that writers queue."""

    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, primary_key=True, related_name="+")
    revision = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(default=clock.now)


class Change(models.Model):
    """One change of a flag: append-only. `environment` is None for what is the same in all of them.

    `before` and `after` hold the fields that differ, in the words of the API. `by` is a name as people read it (a
    member, an API token, "guard"), `user` the member if it was one.
    """

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="changes", db_index=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    by = models.CharField(max_length=150)
    action = models.CharField(max_length=40)
    reason = models.CharField(max_length=MAX_REASON, blank=True, default="")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    revision = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["flag", "-id"], name="flag_change_of_flag"),
            models.Index(fields=["-at"], name="flag_change_at"),
        ]


class Ramp(models.Model):
    """A rollout that goes up by itself: `steps` are [{percent, holdSeconds}], `step` the one it is at.

    `next_at` is when the next one is due; None while it is held, and once it has ended. `note` says why it is held or
    was stopped.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        HELD = "held", "Held"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    state = models.ForeignKey(State, on_delete=models.CASCADE, related_name="ramps", db_index=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    steps = models.JSONField()
    step = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(default=clock.now)
    stepped_at = models.DateTimeField(default=clock.now)
    next_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=150)
    note = models.CharField(max_length=MAX_REASON, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(status__in=["running", "held"]), name="ramp_one"),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="ramp_of_state"),
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="ramp_next"),
        ]


class ExposureCount(models.Model):
    """How often a flag answered with a variant, in one minute; hours older than a day are merged into the hour.

    By key and not by row, since what an app says it asked for may be gone meanwhile. `revision` is the flag's.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=MAX_KEY)
    minute = models.DateTimeField()
    revision = models.BigIntegerField()
    variant = models.CharField(max_length=100)
    enabled = models.BooleanField()
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "key", "minute", "revision", "variant", "enabled"], name="exposure_count_once"
            )
        ]
        indexes = [models.Index(fields=["minute"], name="exposure_count_minute")]


class ExposureBatch(models.Model):
    """A batch that was counted, so that it is not when it comes again. Kept for a day."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+", db_index=False)
    instance = models.CharField(max_length=64)
    sequence = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "instance", "sequence"], name="exposure_batch_once")
        ]
        indexes = [models.Index(fields=["at"], name="exposure_batch_at")]


class Asker(models.Model):
    """A service that asked for a flag, and when last. `found` is False when there is no such flag."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=MAX_KEY)
    service = models.CharField(max_length=100)
    found = models.BooleanField(default=True)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "key", "service"], name="flag_asker_once")]


STALE_AFTER = dt.timedelta(days=30)  # without a change and, if it is asked at all, always the same answer
