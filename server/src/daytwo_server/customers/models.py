"""The people and organizations that use what the workspace runs."""

from django.db import models


class Organization(models.Model):
    """A customer's company or team, under the id that the workspace's own systems give it."""

    external_id = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    plan = models.CharField(max_length=64, blank=True, default="")


class Customer(models.Model):
    """A person, known by `key` (see `identity.py`).

    Not `verified` means that only public keys spoke of them: anybody could have made up what is written here.
    `email_verified` says that the address is theirs, which mail needs to be matched on. After an erasure the row stays,
    empty and with `erased_at`, so that counts of affected customers stay true; `forgotten_at` is when nothing of them
    was left on disk.
    """

    key = models.CharField(max_length=210, unique=True)
    email = models.CharField(max_length=254, blank=True, default="")
    email_verified = models.BooleanField(default=False)
    name = models.CharField(max_length=200, blank=True, default="")
    plan = models.CharField(max_length=64, blank=True, default="")
    organization = models.ForeignKey(Organization, on_delete=models.SET_NULL, null=True, related_name="customers")
    verified = models.BooleanField(default=False)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-last_seen", "-id"], name="customer_seen"),
            models.Index(fields=["email"], name="customer_email"),
        ]

    @property
    def title(self) -> str:
        """The best name there is for showing."""
        if self.erased_at:
            return f"Erased customer {self.pk}"
        return self.name or self.email or self.user_id

    @property
    def address(self) -> str:
        """Where they are written to, and from where they write: their address if it is known to be theirs, or if it is
        all that they are known by. Empty when there is none.
        """
        known_by_it = self.key == f"email:{self.email}"
        return self.email.lower() if self.email and (self.email_verified or known_by_it) else ""

    @property
    def user_id(self) -> str:
        """The key without what it is (`userId` of the API)."""
        return self.key.partition(":")[2]
