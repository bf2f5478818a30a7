"""The tables behind facts, jobs, the audit log, live topics and search. Write through the modules, not these."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.db.models import Q

from daytwo_server.core import clock


class Fact(models.Model):
    """Something that happened. `data` is JSON text as `core.facts` wrote it, so that any version can show it."""

    at = models.DateTimeField(default=clock.now, db_index=True)
    name = models.CharField(max_length=100)
    data = models.TextField()


class Job(models.Model):
    """Something to do. Success deletes the row; `run_at` of a leased row is the end of its lease."""

    class State(models.TextChoices):
        READY = "ready"
        LEASED = "leased"
        DEAD = "dead"

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
            models.Index(fields=["at", "id"], name="core_audit_at"),
            models.Index(fields=["ref_kind", "ref_id", "at"], name="core_audit_ref"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise AppendOnlyError("Audit entries are never changed; record what happened since as a new entry.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Audit entries are never deleted.")


class Topic(models.Model):
    """Something live pages listen to. `version` is the time of the last change in microseconds, always growing."""

    name = models.CharField(max_length=100, primary_key=True)
    version = models.BigIntegerField()


class SearchDocument(models.Model):
    """The words of one object, normalised by `core.search`. The full-text index is made by the migration."""

    kind = models.CharField(max_length=50)
    object_id = models.BigIntegerField()
    words = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="core_searchdocument_object")]
