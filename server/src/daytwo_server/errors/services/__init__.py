"""Every write of the errors room."""

from daytwo_server.errors.services.absorb import absorb, announce, store_bodies
from daytwo_server.errors.services.comments import (
    MAX_COMMENT,
    CommentError,
    comment,
    delete_comment,
    draft_key,
    restore_comment,
)
from daytwo_server.errors.services.triage import NotAMember, assign, ignore, resolve, undo, unresolve

__all__ = [
    "MAX_COMMENT",
    "CommentError",
    "NotAMember",
    "absorb",
    "announce",
    "assign",
    "comment",
    "delete_comment",
    "draft_key",
    "ignore",
    "resolve",
    "restore_comment",
    "store_bodies",
    "undo",
    "unresolve",
]
