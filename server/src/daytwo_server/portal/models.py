"""Who of the customers is signed in to the pages at /help, and the links by which they came."""

from django.db import models

from daytwo_server.customers.models import Customer


class SignInLink(models.Model):
    """A link for signing in that was asked for. It holds no address: that is in the link itself, which is signed.

    `who` and `client` are keyed digests of the address and of where it was asked for from, to count by.
    """

    digest = models.CharField(max_length=64, unique=True)
    who = models.CharField(max_length=32)
    client = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["who", "-created_at"], name="signinlink_who"),
            models.Index(fields=["client", "-created_at"], name="signinlink_client"),
            models.Index(fields=["created_at"], name="signinlink_created"),
        ]


class Session(models.Model):
    """A browser of a customer, known by a cookie of which this is the digest.

    With an `address` it was opened by a link that was mailed there, and sees what belongs to that address; without one
    the app vouched for `customer`, and it sees what is theirs. In whose name it writes is asked when it does.
    """

    digest = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=254, blank=True, default="")
    project = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
