"""What the API says about tickets to those who answer them, in camelCase."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal

from ninja import Schema
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

StatusWord = Literal["open", "pending", "in_progress", "waiting_customer", "resolved", "closed"]
PriorityWord = Literal["low", "medium", "high", "urgent"]
CategoryWord = Literal["billing", "technical", "feature_request", "bug_report", "account", "other"]


class _Out(Schema):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _In(Schema):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class CustomerOut(_Out):
    """Who asks. `id` is ours, `user_id` that of the SaaS."""

    id: int
    user_id: str
    name: str
    email: str
    plan: str


class AttachmentOut(_Out):
    """A file; `url` gives its bytes to a token with tickets.view."""

    id: uuid.UUID
    name: str
    content_type: str
    size: int
    url: str


class DeliveryOut(_Out):
    """How far the mail with a message got: `state` is queued, sending, sent, failed or bounced; unconfirmed where the
    mail server's answer was not seen; delivered and complained where a mail provider tells that.
    """

    state: str
    reason: str


class MessageOut(_Out):
    """Something said. `content` and `stripped_text` are without what a mail quotes, `body_text` is all of it, and
    `body_html` its cleaned HTML, in which nothing is loaded: pictures have their address in `data-remote`, those that
    came along the place of their attachment in `data-file`.

    `ticket_id` is where it was said, which is another ticket if that one was merged into this. `delivery` is null for
    what was not mailed.
    """

    id: uuid.UUID
    ticket_id: uuid.UUID
    author_type: Literal["customer", "agent", "system"]
    author_id: str | None
    author_name: str
    content: str
    stripped_text: str
    body_text: str
    body_html: str
    is_internal: bool
    attachments: list[AttachmentOut]
    delivery: DeliveryOut | None
    created_at: dt.datetime


class TodoOut(_Out):
    """Something to be done for a ticket. `done_at` is null until it is done; `done_by` is an address."""

    id: int
    text: str
    done_at: dt.datetime | None
    done_by: str | None


class TodosIn(_In):
    """What is to be done, up to 50 on one ticket, 200 characters each."""

    items: list[str]


class TodoChangeIn(_In):
    """Whether it is done."""

    done: bool


class PromiseOut(_Out):
    """A promise about a ticket. `due_at` is when it runs out or ran out; null while it is paused or when it was kept.

    `target_seconds` is what was promised and `remaining_seconds` what was left when the clock last stopped, both in
    working time. `ended_at` is when the answer came.
    """

    kind: Literal["first_response", "next_response", "resolution"]
    state: Literal["running", "paused", "met", "breached"]
    policy: str
    target_seconds: int
    remaining_seconds: int
    started_at: dt.datetime
    warn_at: dt.datetime | None
    due_at: dt.datetime | None
    ended_at: dt.datetime | None


class TicketOut(_Out):
    """A ticket as lists show it. `assigned_to` is an address, `project` a slug."""

    id: uuid.UUID
    number: str
    subject: str
    status: StatusWord
    priority: PriorityWord
    category: CategoryWord
    channel: str
    tags: list[str]
    team: str
    assigned_to: str | None
    user_id: str
    customer: CustomerOut
    organization_id: str | None
    project: str | None
    created_at: dt.datetime
    updated_at: dt.datetime
    resolved_at: dt.datetime | None
    closed_at: dt.datetime | None
    first_response_at: dt.datetime | None
    waiting_since: dt.datetime | None
    reopened_count: int
    follow_up_of: uuid.UUID | None
    merged_into: uuid.UUID | None
    rating: int | None
    due_at: dt.datetime | None
    sla: list[PromiseOut]


class TicketDetailOut(TicketOut):
    """A ticket with everything known of it, internal messages too."""

    description: str
    metadata: dict[str, str]
    rating_comment: str
    checklist: list[TodoOut]
    messages: list[MessageOut]


class TicketsOut(_Out):
    """One page, newest first; `next` is the cursor of the following one."""

    results: list[TicketOut]
    next: str | None


class FileIn(_In):
    """A file, its bytes in base64. In a form (`multipart/form-data`) files come as `files` instead."""

    name: str
    content_type: str = ""
    content_base64: str


class ReplyIn(_In):
    """An answer, and where it sends the ticket along. With `last_message_id`, the id of the last message that the
    writer saw, it is refused with 409 when somebody answered since.
    """

    content: str
    attachments: list[FileIn] = []
    status: StatusWord | None = None
    last_message_id: uuid.UUID | None = None


class NoteIn(_In):
    """Something for us alone. Members whom it names (`@bob@example.com`, `@Bob`) are told of it."""

    content: str
    attachments: list[FileIn] = []


class TicketChangeIn(_In):
    """What to change; what is not named stays. `assigned_to` is a member's e-mail address, or null for nobody."""

    status: StatusWord | None = None
    priority: PriorityWord | None = None
    category: CategoryWord | None = None
    tags: list[str] | None = None
    team: str | None = None
    assigned_to: str | None = None


class BulkIn(TicketChangeIn):
    """The same change of many tickets; `add_tags` and `remove_tags` leave their other tags alone."""

    ids: list[str | int] = Field(min_length=1)
    add_tags: list[str] = []
    remove_tags: list[str] = []


class RefusedOut(_Out):
    """A ticket, as it was named, and why it stays as it is."""

    id: str
    detail: str


class BulkOut(_Out):
    """What became of each, as it was named."""

    changed: list[str]
    refused: list[RefusedOut]


class MergeIn(_In):
    """The ticket that goes on."""

    into: str | int


class SavedReplyIn(_In):
    """An answer that is given often. `text` may hold variables such as {{customer.first_name|there}}; `category` says
    for which tickets it is meant, `status` and `tags` what a ticket gets with it; "" is none. With
    `shared` false it is for whoever made the token alone.
    """

    name: str
    text: str
    shortcut: str = ""
    category: CategoryWord | Literal[""] = ""
    status: Literal["", "waiting_customer", "in_progress", "resolved"] = ""
    tags: list[str] = []
    shared: bool = True


class SavedReplyChangeIn(_In):
    """What to change; what is not named stays."""

    name: str | None = None
    text: str | None = None
    shortcut: str | None = None
    category: CategoryWord | Literal[""] | None = None
    status: Literal["", "waiting_customer", "in_progress", "resolved"] | None = None
    tags: list[str] | None = None
    shared: bool | None = None


class SavedReplyOut(_Out):
    """`owner` is the address of who wrote it, null when they are gone; `used` is how often it was sent."""

    id: int
    name: str
    text: str
    shortcut: str
    category: str
    status: str
    tags: list[str]
    shared: bool
    used: int
    owner: str | None
    created_at: dt.datetime
    updated_at: dt.datetime


class SavedRepliesOut(_Out):
    """One page, the most used first; `next` is the cursor of the following one."""

    results: list[SavedReplyOut]
    next: str | None
