"""Tickets and what was said in them.

A ticket's primary key is its number, the 1042 of T-1042: counted by the database, never given twice, with a gap where
a transaction failed. `uid` is the id by which the outside knows it.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from daytwo_server.catalog.models import Project
from daytwo_server.core.models import Blob
from daytwo_server.customers.models import Customer, Organization
from daytwo_server.mail.models import InboundMail
from daytwo_server.tickets.place import place
from daytwo_server.tickets.uid import uuid7

MAX_KEY = 128
_REPORTED = ("category", "priority", "assignee", "team", "channel")  # by which reports group


class Status(models.TextChoices):
    """Where a ticket stands. `pending` is "the customer answered, it is our turn"; see `machine`."""

    OPEN = "open", "Open"
    PENDING = "pending", "Needs reply"
    IN_PROGRESS = "in_progress", "In progress"
    WAITING_CUSTOMER = "waiting_customer", "Waiting for customer"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


class Priority(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    URGENT = "urgent", "Urgent"


class Category(models.TextChoices):
    BILLING = "billing", "Billing"
    TECHNICAL = "technical", "Technical"
    FEATURE_REQUEST = "feature_request", "Feature request"
    BUG_REPORT = "bug_report", "Bug report"
    ACCOUNT = "account", "Account"
    OTHER = "other", "Other"


class Channel(models.TextChoices):
    WEB = "web", "Portal"
    EMAIL = "email", "E-mail"
    API = "api", "API"
    WIDGET = "widget", "Widget"
    PHONE = "phone", "Phone"


class Ticket(models.Model):
    """A question of a customer and how far it got. What it is about is its first message.

    `resolved_at` is set exactly while it is resolved or closed, `closed_at` while it is closed. `first_response_at` is
    set once, by the first public answer. `status_at` is when the status last changed. `waiting_since` is since when the
    customer waits for us, None while they do not. A merged ticket is closed and its messages are shown in `merged_into`
    as well. `due_at` is when the next promise about it runs out, None while none is running; `place` is where it stands
    in the inbox.
    """

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    project = models.ForeignKey(Project, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    subject = models.CharField(max_length=200)
    category = models.CharField(max_length=16, choices=Category)
    priority = models.CharField(max_length=8, choices=Priority, default=Priority.MEDIUM)
    status = models.CharField(max_length=16, choices=Status, default=Status.OPEN)
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.API)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    team = models.CharField(max_length=100, blank=True, default="")
    metadata = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=MAX_KEY, blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    status_at = models.DateTimeField()
    first_response_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    waiting_since = models.DateTimeField(null=True)
    last_customer_at = models.DateTimeField()
    last_agent_at = models.DateTimeField(null=True)
    reopened_count = models.PositiveIntegerField(default=0)
    merged_into = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="merged", db_index=False)
    follow_up_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="follow_ups", db_index=False
    )
    rating = models.PositiveSmallIntegerField(null=True)
    rating_comment = models.TextField(blank=True, default="")
    rated_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    place = models.GeneratedField(expression=place(), output_field=models.BigIntegerField(), db_persist=True)

    class Meta:
        # Those with a condition cost nothing where they do not apply, which is most of what is submitted.
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="ticket_created"),
            models.Index(fields=["status", "-created_at", "-id"], name="ticket_status"),
            models.Index(fields=["customer", "-created_at", "-id"], name="ticket_customer"),
            models.Index(
                fields=["assignee", "status", "-created_at", "-id"],
                condition=Q(assignee__isnull=False),
                name="ticket_assignee",
            ),
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=Q(organization__isnull=False),
                name="ticket_organization",
            ),
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="ticket_merged"),
            models.Index(fields=["follow_up_of"], condition=Q(follow_up_of__isnull=False), name="ticket_follow_up"),
            models.Index(
                fields=["resolved_at"],
                condition=Q(resolved_at__isnull=False, closed_at__isnull=True),
                name="ticket_to_close",
            ),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="ticket_closed"),
            models.Index(fields=["place", "id"], name="ticket_place"),
            # By these, reports read a stretch of time: all that they ask for, so that they read no row.
            models.Index(fields=["created_at", *_REPORTED], name="ticket_reported"),
            models.Index(
                fields=["first_response_at", "created_at", *_REPORTED],
                condition=Q(first_response_at__isnull=False),
                name="ticket_answered",
            ),
            models.Index(
                fields=["resolved_at", "created_at", *_REPORTED],
                condition=Q(resolved_at__isnull=False),
                name="ticket_resolved",
            ),
            models.Index(fields=["rated_at", "rating"], condition=Q(rated_at__isnull=False), name="ticket_rated"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "idempotency_key"], condition=~Q(idempotency_key=""), name="ticket_once_by_key"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["resolved", "closed"], resolved_at__isnull=False)
                | (~Q(status__in=["resolved", "closed"]) & Q(resolved_at__isnull=True)),
                name="ticket_resolved_at",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False) | (~Q(status="closed") & Q(closed_at=None)),
                name="ticket_closed_at",
            ),
            models.CheckConstraint(condition=Q(rating=None) | Q(rating__range=(1, 5)), name="ticket_rating"),
        ]

    @property
    def code(self) -> str:
        """The number as people say it: T-1042."""
        return f"T-{self.pk}"


class Tag(models.Model):
    """A word on a ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=50)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "name"], name="tickettag_once")]
        indexes = [models.Index(fields=["name", "-ticket"], name="tickettag_name")]


class Message(models.Model):
    """Something that was said in a ticket, or that happened to it.

    `content` is what a reader is shown: of a mail that is its text without what it quotes, and then `body_text` is all
    of it and `body_html` its cleaned HTML. A system message that tells of a status has it in `before` and `after`:
    these rows are the ticket's history. Only public ones ever leave the workspace.
    """

    class Kind(models.TextChoices):
        PUBLIC = "public"
        NOTE = "note"
        SYSTEM = "system"

    class Author(models.TextChoices):
        CUSTOMER = "customer"
        AGENT = "agent"
        SYSTEM = "system"

    uid = models.UUIDField(default=uuid7, editable=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    author_type = models.CharField(max_length=8, choices=Author)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    content = models.TextField()
    body_text = models.TextField(blank=True, default="")
    body_html = models.TextField(blank=True, default="")
    before = models.CharField(max_length=16, choices=Status, blank=True, default="")
    after = models.CharField(max_length=16, choices=Status, blank=True, default="")
    idempotency_key = models.CharField(max_length=MAX_KEY, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["ticket", "id"], name="ticketmessage_of"),
            models.Index(
                fields=["author", "-created_at"], condition=Q(author__isnull=False), name="ticketmessage_author"
            ),
            models.Index(
                fields=["customer", "-created_at"], condition=Q(customer__isnull=False), name="ticketmessage_customer"
            ),
            models.Index(
                fields=["created_at", "before", "after"],
                condition=Q(after="resolved") | Q(before="resolved"),
                name="ticketmessage_resolved",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="ticketmessage_once_by_key",
            ),
        ]

    @property
    def is_internal(self) -> bool:
        return self.kind != self.Kind.PUBLIC


class Attachment(models.Model):
    """A file of a message. `content_type` is what its sender called it; nothing believes it, see `api.files`."""

    uid = models.UUIDField(default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=255)
    size = models.BigIntegerField()
    # PROTECT, never CASCADE: bytes go with what speaks of them, and never before it.
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+", db_index=False)


class Mailed(models.Model):
    """That a message came by mail, and what is known about that.

    `sender` is the address it was from, and `authentic` what our mail server found out about that: None when nobody
    looked. An `automatic` one was written by no person and moved nothing. `mail_id` is its Message-ID, by which answers
    refer to it; `notices` (a line each) tell agents what was left out. `answerable`: an acknowledgement may be sent.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="mailed")
    sender = models.CharField(max_length=320)
    authentic = models.BooleanField(null=True)
    automatic = models.BooleanField(default=False)
    answerable = models.BooleanField(default=False)
    mail_id = models.CharField(max_length=998, blank=True, default="")
    notices = models.TextField(blank=True, default="")


class Participant(models.Model):
    """An address, in lower case, whose mail is taken in a ticket beside its customer's: somebody of us said so.

    They are sent nothing.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="participants", db_index=False)
    address = models.CharField(max_length=320)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "address"], name="ticketparticipant_once")]


class Pace(models.Model):
    """How much of the time to come a customer has used up with their ratings: each takes its share of a minute."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="+")
    until = models.DateTimeField()


class HeldMail(models.Model):
    """A mail that leads to a ticket and is from somebody who does not take part in it, or cannot be taken as it is.

    Only agents see it. `reason` says why it is held, `text` begins what it says. While `settled_at` is None it waits
    for one of us; `accepted` says what they decided, and `apart` that it is a question of its own. It goes with the
    mail itself.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="held_mails", db_index=False)
    mail = models.OneToOneField(InboundMail, on_delete=models.CASCADE, related_name="+")
    sender = models.CharField(max_length=320)
    name = models.CharField(max_length=200, blank=True, default="")
    subject = models.CharField(max_length=200)
    text = models.TextField()
    files = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(default=False)
    apart = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["ticket", "id"], condition=Q(settled_at=None), name="ticketheld_waiting")]


class Mention(models.Model):
    """A member who was named in an internal note, and is told of it."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="ticketmention_once")]


class Todo(models.Model):
    """Something to be done for a ticket. `done_at` is when it was ticked, by `done_by`. One that was taken off the list
    can be brought back while the ticket is there.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="todos", db_index=False)
    text = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["ticket", "id"], name="tickettodo_of")]


class SavedReply(models.Model):
    """An answer that is given often. `text` may hold variables; see `variables`.

    Its owner alone has it, or with `shared` everybody. `status` and `tags` are what the ticket gets when it is sent
    with this. `category` says for which questions it is meant. One that was deleted can be brought back for a while.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    shared = models.BooleanField(default=False)
    name = models.CharField(max_length=80)
    shortcut = models.CharField(max_length=30, blank=True, default="")
    text = models.TextField()
    category = models.CharField(max_length=16, choices=Category, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status, blank=True, default="")
    tags = models.JSONField(default=list)
    used = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["owner", "-used"], name="savedreply_own"),
            models.Index(fields=["-used"], condition=Q(shared=True), name="savedreply_shared"),
        ]
