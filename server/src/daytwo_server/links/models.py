"""What belongs together, across rooms: this ticket and that error, that deploy and this incident."""

from django.conf import settings
from django.db import models

from daytwo_server.core import clock


class Link(models.Model):
    """One object leads to another, and back. `rule` names what made it by itself, and is empty when a person did.

    A link that somebody removed stays as a row with `removed_at`, so that no rule makes it again.
    """

    from_kind = models.CharField(max_length=50)
    from_id = models.CharField(max_length=64)
    to_kind = models.CharField(max_length=50)
    to_id = models.CharField(max_length=64)
    rule = models.CharField(max_length=60, default="")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["from_kind", "from_id", "to_kind", "to_id"], name="link_once")]
        indexes = [models.Index(fields=["to_kind", "to_id"], name="link_back")]
