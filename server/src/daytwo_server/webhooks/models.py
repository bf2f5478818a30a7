"""Other systems that are told what happens, and each time that one is told."""

import urllib.parse

from django.db import models
from django.db.models import Q

from daytwo_server.core import clock

MAX_NAME, MAX_URL, MAX_WORDS = 100, 500, 300


class Endpoint(models.Model):
    """An address that is called. `events` are the names of what it is told, none means all. Its secret is kept nowhere:
    it is derived from the installation's, the row and `generation`; the one before signs too until `overlaps_until`.

    `failing_since` is when the first of the latest calls failed; while `off_at` is set nothing is called, `off_why`
    says why where nobody did that.
    """

    name = models.CharField(max_length=MAX_NAME)
    url = models.CharField(max_length=MAX_URL)
    events = models.JSONField(default=list)
    generation = models.PositiveIntegerField(default=1)
    overlaps_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    failing_since = models.DateTimeField(null=True)
    off_at = models.DateTimeField(null=True)
    off_why = models.CharField(max_length=MAX_WORDS, blank=True, default="")
    archived_at = models.DateTimeField(null=True)

    @property
    def host(self) -> str:
        """Where it is, without what may be a secret in the rest of the address."""
        return urllib.parse.urlsplit(self.url).hostname or ""


class Call(models.Model):
    """Something that an endpoint is told: ids only, the words are made when it is called. `uid` stays the same however
    often it is tried. `status` is what was answered last, `problem` what went wrong.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="calls", db_index=False)
    uid = models.CharField(max_length=40, unique=True)
    event = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    problem = models.CharField(max_length=MAX_WORDS, blank=True, default="")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="waiting"), name="webhookcall_due"),
            models.Index(fields=["endpoint", "-id"], name="webhookcall_of"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="webhookcall_ended"),
        ]
