"""The apps that report here: projects, their environments, keys and releases."""

from django.db import models

from daytwo_server.core import clock


class Project(models.Model):
    """An app. Its id is part of the DSN, where SDKs accept whole numbers only."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    platform = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    first_event_at = models.DateTimeField(null=True)


class Environment(models.Model):
    """Where an app runs ("production"); known from the events that named it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="environments", db_index=False)
    name = models.CharField(max_length=64)
    first_seen = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="environment_once")]


class DsnKey(models.Model):
    """A public key that lets events in. `allowed_origins` empty means any; limits left empty follow the settings."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="keys")
    public_key = models.CharField(max_length=32, unique=True)
    label = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)
    allowed_origins = models.JSONField(default=list)
    rate_per_s = models.PositiveIntegerField(null=True)
    burst = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=clock.now)


class Release(models.Model):
    """A version of an app; known from the events that named it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="releases", db_index=False)
    version = models.CharField(max_length=250)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "version"], name="release_once")]
        indexes = [models.Index(fields=["project", "-last_seen"], name="release_seen")]
