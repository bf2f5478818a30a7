"""Who works here: people, the one workspace they belong to, and the tokens that act in their place."""

import datetime as dt
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from daytwo_server.core import clock
from daytwo_server.core.prepared import Prepared

_BY_PK = Prepared["User"](lambda pk: User.objects.filter(pk=pk))
UNDO_WINDOW = dt.timedelta(minutes=10)  # how long what was revoked or removed can be taken back


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> models.QuerySet["User"]:
        """People with their membership: every page asks what its viewer may do, and so needs no second query."""
        return super().get_queryset().select_related("membership__workspace")

    def get(self, *args: Any, **fields: Any) -> "User":
        """As ever; the viewer of a page, who is asked for by `pk` alone, without writing SQL for it anew."""
        if not args and fields.keys() == {"pk"} and (found := _BY_PK(int(fields["pk"]))):
            return found[0]
        return super().get(*args, **fields)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Add a person; without a password nobody can sign in as them yet."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Lower case throughout: nobody has two mailboxes that differ by capitals, and sign-in looks up by equality."""
        return (email or "").strip().lower()


class User(AbstractBaseUser):
    """A person who can sign in. Whether they may see anything is decided by their `Membership`."""

    class Theme(models.TextChoices):
        AUTO = "auto", "Like the system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", "Comfortable"
        COMPACT = "compact", "Compact"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100)
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.AUTO)
    density = models.CharField(max_length=11, choices=Density, default=Density.COMFORTABLE)
    time_zone = models.CharField(max_length=64, default="UTC")
    absolute_times = models.BooleanField(default=False, db_default=False)
    single_key_shortcuts = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower")]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        super().clean()
        self.email = UserManager.normalize_email(self.email)


class Workspace(models.Model):
    """The company or product that this installation serves: always the one row with id 1."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=100, default="Daytwo")
    slug = models.SlugField(max_length=50, default="daytwo")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="workspace_is_one")]


class Membership(models.Model):
    """A person's place in the workspace. Without one, a person who is signed in sees nothing."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        ADMIN = "admin", "Admin"
        ENGINEER = "engineer", "Engineer"
        AGENT = "agent", "Support agent"
        VIEWER = "viewer", "Viewer"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="membership")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(default=clock.now)


class FormerMembership(models.Model):
    """What somebody was who was removed; for `UNDO_WINDOW` the removal can be taken back."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="former_membership")
    role = models.CharField(max_length=10, choices=Membership.Role)
    joined_at = models.DateTimeField()
    removed_at = models.DateTimeField(default=clock.now)


class Team(models.Model):
    """Some of those who work here, under the name by which tickets and components say who looks after them.

    `address` reaches all of them; without one each member is written to. Two in use never have one name.
    """

    name = models.CharField(max_length=100)
    address = models.EmailField(blank=True, default="")
    members = models.ManyToManyField(User, related_name="teams")
    created_at = models.DateTimeField(default=clock.now)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), condition=models.Q(archived_at=None), name="team_name_once")
        ]


class Invitation(models.Model):
    """A one-time link by which somebody joins with a role; only the SHA-256 of the link is kept.

    The link is derived from the installation's secret, the row and its `nonce`: so the mail can be written by a job,
    whose arguments hold no secret, and a new nonce makes a new link. It is good while its inviter may still give that
    role, see `services.invitation_for`.
    """

    digest = models.CharField(max_length=64, unique=True)
    nonce = models.CharField(max_length=32)
    email = models.EmailField(blank=True, default="")  # empty: whoever has the link says who they are
    name = models.CharField(max_length=100, blank=True, default="")
    role = models.CharField(max_length=10, choices=Membership.Role)
    # CASCADE, never SET_NULL: an invitation without an inviter has nobody's limits.
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)


class UserSession(models.Model):
    """Where somebody is signed in: what a session's own row, which Django keeps, does not say."""

    session_key = models.CharField(max_length=40, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    user_agent = models.CharField(max_length=300, blank=True, default="")
    address = models.CharField(max_length=45, blank=True, default="")
    signed_in_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)


class ApiToken(models.Model):
    """A key for programs: `dt_<prefix>_<secret>`. Only the SHA-256 of the whole text is kept.

    `scopes` names actions of the permission table, or is `["*"]` for all of them. A token with a creator never may do
    more than that person may at the moment; one without was derived from the installation's secret.
    """

    prefix = models.CharField(max_length=8, unique=True)
    digest = models.CharField(max_length=64)
    label = models.CharField(max_length=100)
    scopes = models.JSONField(default=list)
    # CASCADE, never SET_NULL: a token without a creator has nobody's limits.
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    actor_kind = "token"  # how the audit log calls it


class OwnerLink(models.Model):
    """The one-time link by which the first owner comes in; the SHA-256 of its token is kept."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
