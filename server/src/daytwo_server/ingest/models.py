"""How far each spool is digested, and what arrived."""

from django.db import models


class Cursor(models.Model):
    """The last digested position of one node's spool. Moves in the transaction that stores what it points past."""

    node = models.CharField(max_length=64, primary_key=True)
    segment = models.BigIntegerField()
    sequence = models.BigIntegerField()
    moved_at = models.DateTimeField()


class ItemCount(models.Model):
    """Items of one kind, from one SDK, in one hour, by what became of them.

    Hours older than a day are merged into their day, which is the hour of midnight in UTC; see `ingest.jobs`.

    `outcome` is arrived, stored or dropped; `reason` says why something was dropped and is empty otherwise.
    """

    hour = models.DateTimeField()
    project_id = models.BigIntegerField()
    item_type = models.CharField(max_length=40)
    sdk = models.CharField(max_length=80)
    outcome = models.CharField(max_length=8)
    reason = models.CharField(max_length=40)
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "project_id", "item_type", "sdk", "outcome", "reason"], name="itemcount_once"
            )
        ]
