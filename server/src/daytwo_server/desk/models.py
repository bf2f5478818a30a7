"""What people keep at hand: pages they were on, views of lists, drafts; who is where; how far the search index is."""

from django.conf import settings
from django.db import models

from daytwo_server.core import clock


class Recent(models.Model):
    """Somebody was on the page of an object, last at `at`. Kind and id are those of `core.ref`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=50)
    object_id = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind", "object_id"], name="recent_once")]
        indexes = [models.Index(fields=["user", "-at"], name="recent_of_user")]


class SavedView(models.Model):
    """A list as somebody likes it: `query` is the query string of its address, `page` the list's name."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    page = models.CharField(max_length=50)
    name = models.CharField(max_length=60)
    query = models.TextField()
    shared = models.BooleanField(default=False)
    position = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["owner", "page"], name="savedview_own"),
            models.Index(fields=["page"], condition=models.Q(shared=True), name="savedview_shared"),
        ]


class Draft(models.Model):
    """What somebody is writing. Nobody else reads it.

    `version` grows with every change, so that a device knows whether another wrote meanwhile; `other` is what that
    one's text was. A text that was sent leaves the row empty for a while: a save that was still on its way then finds
    that it is too late.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=100)
    text = models.TextField()
    other = models.TextField(default="")
    version = models.IntegerField(default=1)
    updated_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="draft_once")]


class Presence(models.Model):
    """Somebody has the page of an object open, as it said last at `seen_at`, and last wrote there at `typing_at`.

    Kind and id are those of `core.ref`.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=50)
    object_id = models.CharField(max_length=64)
    seen_at = models.DateTimeField(db_index=True)
    typing_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id", "user"], name="presence_once")]


class Indexed(models.Model):
    """How far the search index of a kind is: done for `version` of its source, or `after` this id towards `goal`."""

    kind = models.CharField(max_length=50, primary_key=True)
    version = models.IntegerField(default=0)
    goal = models.IntegerField(default=0)
    after = models.BigIntegerField(default=0)
