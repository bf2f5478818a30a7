"""What people write about an issue. A comment is a line of its activity: plain text, shown to everybody who sees it."""

from __future__ import annotations

import datetime as dt

from django.db import models, transaction

from daytwo_server.accounts.models import User
from daytwo_server.core import audit, clock, live
from daytwo_server.core.ref import Ref
from daytwo_server.desk.services import clear_draft
from daytwo_server.errors.models import Activity
from daytwo_server.errors.services.absorb import issue_topic

MAX_COMMENT = 10_000
UNDO_WINDOW = dt.timedelta(minutes=10)


class CommentError(ValueError):
    """The comment cannot be written or brought back; the text says why."""


def draft_key(issue: int) -> str:
    """Under what the desk keeps a comment while somebody writes it."""
    return f"errors.comment:{issue}"


def comment(issue: int, text: str, *, actor: User) -> Activity:
    """Add a comment; its draft is gone with it. Raises `CommentError` for one that is empty or too long."""
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise CommentError("Write something first.")
    if len(text) > MAX_COMMENT:
        raise CommentError(f"The comment has {len(text):,} characters; at most {MAX_COMMENT:,} fit.")
    with transaction.atomic():
        written = Activity.objects.create(
            issue_id=issue, at=clock.now(), kind=Activity.Kind.COMMENTED, actor=actor, after={"text": text}
        )
        audit.record("errors:issue:commented", actor=actor, ref=Ref("issue", issue), after={"comment": written.pk})
        clear_draft(actor, draft_key(issue))
        live.bump(issue_topic(issue))
    return written


def delete_comment(comment: Activity, *, actor: User) -> None:
    """Take back a comment of one's own; `restore_comment` brings it back for ten minutes."""
    with transaction.atomic():
        if _own(comment, actor).filter(deleted_at=None).update(deleted_at=clock.now()):
            _note("errors:comment:deleted", comment, actor)


def restore_comment(comment: Activity, *, actor: User) -> None:
    """Undo a deletion. Raises `CommentError` later than ten minutes after it."""
    with transaction.atomic():
        if not _own(comment, actor).filter(deleted_at__gt=clock.now() - UNDO_WINDOW).update(deleted_at=None):
            raise CommentError("That was too long ago to undo. Write the comment again instead.")
        _note("errors:comment:restored", comment, actor)


def _own(comment: Activity, actor: User) -> models.QuerySet[Activity]:
    return Activity.objects.filter(pk=comment.pk, kind=Activity.Kind.COMMENTED, actor=actor)


def _note(action: str, comment: Activity, actor: User) -> None:
    audit.record(action, actor=actor, ref=Ref("issue", comment.issue_id), after={"comment": comment.pk})
    live.bump(issue_topic(comment.issue_id))
