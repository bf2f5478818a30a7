"""The apps that report here: projects, where they run, what lets their events in, and what of them was delivered."""

from django.db import models

from daytwo_server.accounts.models import ApiToken, User
from daytwo_server.core import clock

VOLUME_SLOT_S = 300  # a Volume spans five minutes
MAX_SHORT = 20  # characters of a version where there is little room


class Project(models.Model):
    """An app. Its id is part of the DSN, where SDKs accept whole numbers only.

    The slug stays when the name changes: links, the API and the key that setup derives are made of it. The events of
    an archived project are refused. `identity_generation` counts how often the identity secret was replaced; tokens of
    the one before are believed until `identity_overlaps_until`.
    """

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    platform = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    first_event_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    identity_generation = models.PositiveIntegerField(default=0, db_default=0)
    identity_overlaps_until = models.DateTimeField(null=True)


class Environment(models.Model):
    """Where an app runs ("production"); known from the events and deploys that named it.

    `kind` is guessed from the name at first and then what people say. A hidden one is left out of choices; its events
    are kept and counted like any other's.
    """

    class Kind(models.TextChoices):
        PRODUCTION = "production", "Production"
        STAGING = "staging", "Staging"
        DEVELOPMENT = "development", "Development"
        OTHER = "other", "Other"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="environments", db_index=False)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.OTHER, db_default=Kind.OTHER)
    first_seen = models.DateTimeField()
    hidden_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="environment_once")]


class Volume(models.Model):
    """Events of an environment within five minutes; `slot` counts them since 1970. Kept for `VOLUMES_KEPT`."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+", db_index=False)
    slot = models.IntegerField(db_index=True)
    count = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "slot"], name="volume_once")]


class DsnKey(models.Model):
    """A public key that lets events in. `allowed_origins` empty means any; limits left empty follow the settings.

    From `ends_at` on its events are refused. `replaces` is the key that people meant to retire by it.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="keys")
    public_key = models.CharField(max_length=32, unique=True)
    label = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)
    allowed_origins = models.JSONField(default=list)
    rate_per_s = models.PositiveIntegerField(null=True)
    burst = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField(null=True)
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    last_used_at = models.DateTimeField(null=True)

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= clock.now()


class ServerKey(models.Model):
    """A secret by which an environment's servers speak for its customers. Only the SHA-256 of its text is kept."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="server_keys")
    prefix = models.CharField(max_length=8, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class ClientKey(models.Model):
    """By which browsers and phones ask for an environment's flags. It is public: what it opens is, too.

    `allowed_origins` empty means any.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="client_keys")
    public_key = models.CharField(max_length=40, unique=True)
    allowed_origins = models.JSONField(default=list)
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class KeyUse(models.Model):
    """Requests that named a key within an hour, let in or refused because it was off, over or of an archived project.

    Kept for `USES_KEPT`.
    """

    key = models.ForeignKey(DsnKey, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField(db_index=True)
    let_in = models.BigIntegerField()
    refused = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "hour"], name="keyuse_once")]


class Release(models.Model):
    """A version of an app; known from the events and deploys that named it.

    `events` is None for a release from before they were counted, 0 for one that was deployed and has not reported.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="releases", db_index=False)
    version = models.CharField(max_length=250)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    events = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "version"], name="release_once")]
        indexes = [models.Index(fields=["project", "-last_seen"], name="release_seen")]

    @property
    def has_reported(self) -> bool:
        return self.events != 0

    @property
    def short(self) -> str:
        """What tells it from others in at most 20 characters: without the app's name, and rather its end."""
        number = self.version.rpartition("@")[2] or self.version
        return number if len(number) <= MAX_SHORT else f"…{number[1 - MAX_SHORT :]}"


class NewNames(models.Model):
    """What names a project's events brought in a day (UTC): how many were listed, and how many events named more.

    A DSN key is public, and whoever has it can make up names; past the limits their events count, the names do not.
    """

    class Kind(models.TextChoices):
        ENVIRONMENT = "environment"
        RELEASE = "release"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=Kind)
    listed = models.IntegerField()
    left_out = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "day", "kind"], name="newnames_once")]


class Component(models.Model):
    """A part of the SaaS as customers know it ("Checkout API"): what is watched, breaks and is told about."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True, default="")
    project = models.ForeignKey(Project, on_delete=models.SET_NULL, null=True, related_name="components")
    owners = models.ManyToManyField(User, related_name="+")
    team = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    archived_at = models.DateTimeField(null=True)


class Deploy(models.Model):
    """A version on its way into an environment. `started_at` is the moment from which it may be the cause of things.

    `finished_at` is None exactly while it runs. `token` made it known.
    """

    class Status(models.TextChoices):
        STARTED = "started", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+", db_index=False)
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=Status)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    url = models.CharField(max_length=500, blank=True, default="")
    idempotency_key = models.CharField(max_length=128, blank=True, default="")
    token = models.ForeignKey(ApiToken, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="deploy_started"),
            models.Index(fields=["project", "-started_at", "-id"], name="deploy_project_started"),
            models.Index(fields=["environment", "-started_at", "-id"], name="deploy_environment_started"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["environment", "release", "started_at"], name="deploy_once"),
            models.UniqueConstraint(
                fields=["project", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="deploy_once_by_key",
            ),
            models.CheckConstraint(
                condition=models.Q(status="started", finished_at=None)
                | (~models.Q(status="started") & models.Q(finished_at__gte=models.F("started_at"))),
                name="deploy_finished",
            ),
        ]
