"""Mail that goes out and mail that came in. Both are written by `services` and `intake` only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from daytwo_server.core import clock
from daytwo_server.core.models import Blob
from daytwo_server.mail.letter import Result


class Delivery(models.Model):
    """One mail to one recipient. See `services.queue` for what the fields of the mail mean.

    `lane` is the same for mails of one thread to one recipient, which go one after the other. While it is `sending`,
    `token` names the claim, and `lease_ends` when others may take it over. `handed_over` is set just before the server
    may say yes: from then on only its answer tells whether it has the mail.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"
        BOUNCED = "bounced"

    to = models.CharField(max_length=320)
    subject = models.TextField()
    text = models.TextField()
    html = models.TextField(default="")
    about = models.CharField(max_length=100, default="")
    message_id = models.CharField(max_length=255)
    in_reply_to = models.CharField(max_length=998, default="")
    references = models.TextField(default="")  # ids with spaces between, oldest first
    reply_to = models.CharField(max_length=320, default="")
    from_name = models.CharField(max_length=200, default="")
    automatic = models.BooleanField(default=False)

    lane = models.CharField(max_length=32)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    token = models.CharField(max_length=32, default="")
    lease_ends = models.DateTimeField(null=True, default=None)
    handed_over = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True, default=None)
    # What the provider calls it, by which its events do.
    provider_id = models.CharField(max_length=255, default="", db_default="")
    delivered_at = models.DateTimeField(null=True, default=None)  # as the provider says
    complained_at = models.DateTimeField(null=True, default=None)  # the recipient called it spam
    # For people: what the server said last, or why it is not certain that it arrived.
    problem = models.TextField(default="")

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="queued"), name="mail_delivery_due"),
            models.Index(
                fields=["lane", "id"], condition=Q(state__in=["queued", "sending"]), name="mail_delivery_lane"
            ),
            models.Index(fields=["lease_ends"], condition=Q(state="sending"), name="mail_delivery_lease"),
            models.Index(fields=["about"], name="mail_delivery_about"),
            models.Index(fields=["message_id"], name="mail_delivery_message_id"),
            models.Index(fields=["settled_at"], name="mail_delivery_settled"),
            models.Index(fields=["to"], name="mail_delivery_to"),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="mail_delivery_provider_id"),
            models.Index(fields=["state", "created_at", "id"], name="mail_delivery_state"),
        ]

    @property
    def fate(self) -> str:
        """How far it got: the state, or more than that once more is known.

        `complained` and `delivered` are what a provider has told. `unconfirmed` is sent, but the process ended before
        the server's answer was noted: it almost certainly arrived.
        """
        if self.complained_at:
            return "complained"
        if self.state != self.State.SENT:
            return self.state
        if self.delivered_at:
            return "delivered"
        return "unconfirmed" if self.problem else self.state


class DeliveryFile(models.Model):
    """An attachment of a delivery. Its bytes belong to whoever queued it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=255)
    blob = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="+")


class Outage(models.Model):
    """The mail server, or provider, takes nothing. There is one row while that is so, and none otherwise."""

    since = models.DateTimeField(default=clock.now)
    tries = models.PositiveIntegerField(default=1)
    until = models.DateTimeField()  # when it is tried next
    problem = models.TextField()


class Mailbox(models.Model):
    """How far a mailbox was read. Its numbers hold as long as `uid_validity` does (RFC 9051 2.3.1.1)."""

    name = models.CharField(max_length=64, primary_key=True)  # a digest of host, user and folder
    uid_validity = models.BigIntegerField()
    last_uid = models.BigIntegerField()


STORED_ID = 255  # characters of a Message-ID that are kept, and by which longer ones are found


class InboundMail(models.Model):
    """A mail as it arrived, and what became of it. `raw` is gone once retention or an erasure took it.

    `thread` and `message` are what the receiver said (`Outcome`). `key` is what tells it from every other mail; a
    duplicate has none. Addresses are in lower case. `sender` is that of the From line, empty for what could not be
    read: then `envelope_sender` is all that is known.
    """

    class State(models.TextChoices):
        RECEIVED = "received"  # stored, not read yet
        DONE = "done"
        QUARANTINED = "quarantined"
        DISCARDED = "discarded"  # somebody decided that nothing comes of it; `services.restore` takes that back

    raw = models.ForeignKey(Blob, on_delete=models.SET_NULL, null=True, related_name="+")  # zstd
    size = models.BigIntegerField()
    received_at = models.DateTimeField(default=clock.now)
    route = models.CharField(max_length=20, default="")
    remote = models.CharField(max_length=100, default="")
    envelope_sender = models.CharField(max_length=320, default="")
    envelope_recipients = models.TextField(default="")  # with newlines between

    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    replayed = models.BooleanField(default=False)  # a person has looked at it and wants it taken
    result = models.CharField(max_length=12, choices=[(r.value, r.value) for r in Result], default="")
    reason = models.TextField(default="")
    thread = models.CharField(max_length=100, default="")
    message = models.CharField(max_length=100, default="")

    key = models.CharField(max_length=80, null=True, default=None, unique=True)  # noqa: DJ001 - NULLs differ
    message_id = models.CharField(max_length=STORED_ID, default="")
    sender = models.CharField(max_length=320, default="")
    subject = models.CharField(max_length=200, default="")
    content_hash = models.CharField(max_length=64)  # of the raw bytes
    body_hash = models.CharField(max_length=32, default="")  # of what the sender wrote

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(state="received"), name="mail_inbound_waiting"),
            models.Index(fields=["state", "received_at", "id"], name="mail_inbound_state"),
            models.Index(fields=["sender", "received_at"], name="mail_inbound_sender"),
            models.Index(fields=["message_id"], name="mail_inbound_message_id"),
            models.Index(fields=["thread"], name="mail_inbound_thread"),
            models.Index(fields=["received_at"], name="mail_inbound_time"),
            models.Index(fields=["received_at", "id"], condition=Q(result="held"), name="mail_inbound_held"),
        ]
