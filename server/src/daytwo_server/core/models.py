"""The tables behind facts, jobs, settings, audit log, topics, search, blobs. Write through the modules, not these."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.db.models import Q

from daytwo_server.core import clock


class Fact(models.Model):
    """Something that happened. `data` is JSON text as `core.facts` wrote it, so that any version can show it.

    `reactions` names those that were enqueued with it, with spaces between; NULL when a version recorded it that did
    not note them.
    """

    at = models.DateTimeField(default=clock.now, db_index=True)
    name = models.CharField(max_length=100)
    data = models.TextField()
    reactions = models.TextField(null=True)  # noqa: DJ001 - see above

    class Meta:
        indexes = [models.Index(fields=["name", "at", "id"], name="core_fact_name")]


class Job(models.Model):
    """Something to do. Success deletes the row.

    `run_at` of a leased row is the end of its lease, of a dead or discarded one the time of its last failure.
    """

    class State(models.TextChoices):
        READY = "ready"
        LEASED = "leased"
        DEAD = "dead"
        DISCARDED = "discarded"  # a dead letter that somebody gave up; kept for a while, so that it can be put back

    class Priority(models.IntegerChoices):
        BULK = -1
        NORMAL = 0
        URGENT = 1

    kind = models.CharField(max_length=100)
    args = models.TextField(default="{}")
    queue = models.CharField(max_length=50, default="default")
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    created_at = models.DateTimeField(default=clock.now)
    run_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField()
    unique_key = models.CharField(max_length=200, null=True, default=None)  # noqa: DJ001 - NULLs differ, "" would not
    # Names one claim: a worker that lost its lease cannot finish the claim of another.
    token = models.CharField(max_length=32, default="")
    # Set when the same unique key was enqueued while this row ran: it runs once more then.
    again_at = models.DateTimeField(null=True, default=None)
    error = models.TextField(default="")

    class Meta:
        # Both say `state IN (...)`, and so must the statements: SQLite uses a partial index only for the same words.
        indexes = [
            models.Index(
                fields=["queue", "priority", "run_at", "id"],
                condition=Q(state__in=["ready", "leased"]),
                name="core_job_due",
            ),
            # For lists by state. The kind is in it so that a filter by kind is decided without reading the rows.
            models.Index(fields=["state", "run_at", "id", "kind"], name="core_job_state"),
            models.Index(fields=["args"], condition=Q(kind="core.react"), name="core_job_reaction"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"], condition=Q(state__in=["ready", "leased"]), name="core_job_unique_key"
            ),
        ]


class Periodic(models.Model):
    """When a periodic job is enqueued next. `schedule` is what `next_run` was computed from."""

    kind = models.CharField(max_length=100, primary_key=True)
    schedule = models.CharField(max_length=100)
    next_run = models.DateTimeField()
    last_run = models.DateTimeField(null=True)


class AppendOnlyError(Exception):
    """Somebody tried to change the audit log."""


class AuditEntries(models.QuerySet["AuditEntry"]):
    def update(self, **_changes: Any) -> NoReturn:
        raise AppendOnlyError("Audit entries are never changed; record what happened since as a new entry.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Audit entries are never deleted.")


class AuditEntry(models.Model):
    """Who changed what. `action` is source:subject:action; `before` and `after` are JSON text or empty."""

    at = models.DateTimeField(default=clock.now)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64, default="")
    action = models.CharField(max_length=100)
    ref_kind = models.CharField(max_length=50, default="")
    ref_id = models.CharField(max_length=64, default="")
    before = models.TextField(default="")
    after = models.TextField(default="")
    ip = models.CharField(max_length=45, default="")

    objects = AuditEntries.as_manager()

    class Meta:
        indexes = [
            # The action is in it so that "everything in a room" is decided without reading the rows.
            models.Index(fields=["at", "id", "action"], name="core_audit_time"),
            models.Index(fields=["actor_kind", "actor_id", "at"], name="core_audit_actor"),
            models.Index(fields=["action", "at"], name="core_audit_action"),
            models.Index(fields=["ref_kind", "ref_id", "at"], name="core_audit_ref"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise AppendOnlyError("Audit entries are never changed; record what happened since as a new entry.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Audit entries are never deleted.")


class Setting(models.Model):
    """What a page gave a field of `core.conf.Conf`, as the environment would write it; empty: it went back to default.

    The row stays then, so that `version` only grows: a form that was loaded long ago never matches by accident.
    """

    name = models.CharField(max_length=100, primary_key=True)
    value = models.TextField()
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.BigIntegerField(null=True)  # a person of `accounts`, above this room


class Holding(models.Model):
    """How much of one kind of data there was when it was last measured, and what the last run of `core.retention` did.

    `finished_at` is NULL while a run is under way; `bytes` holds the indexes too.
    """

    kind = models.CharField(max_length=50, primary_key=True)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    oldest = models.DateTimeField(null=True)
    measured_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    removed = models.BigIntegerField(default=0)


class Topic(models.Model):
    """Something live pages listen to. `version` is the time of the last change in microseconds, always growing."""

    name = models.CharField(max_length=100, primary_key=True)
    version = models.BigIntegerField()


class SearchDocument(models.Model):
    """The words of one object, normalised by `core.search`. The indexes of words and titles are made by migrations.

    `title` is NULL in rows of a version that kept none, until `desk.jobs` has indexed them again: as a column that
    may be NULL it was added without making SQLite build the table anew, which would have lost the full-text index.
    """

    kind = models.CharField(max_length=50)
    object_id = models.BigIntegerField()
    words = models.TextField()
    title = models.CharField(max_length=200, null=True, default=None)  # noqa: DJ001 - see above

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="core_searchdocument_object")]


class Blob(models.Model):
    """Bytes that are too many for one row; what they are is in its parts. See `core.blobs`."""

    content_type = models.CharField(max_length=255, default="")
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField(default=clock.now)


class BlobPart(models.Model):
    """Number `number`, from 0, of the parts of a blob. All but the last are of the same size."""

    blob = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["blob", "number"], name="core_blobpart_once")]
