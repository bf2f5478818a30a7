"""`/api/v1/saved-replies`: answers that are given often, as whoever made the token may use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog.api.common import checked_limit, invalid
from daytwo_server.core.pages import BadCursor
from daytwo_server.tickets import services
from daytwo_server.tickets.models import SavedReply
from daytwo_server.tickets.schemas import SavedRepliesOut, SavedReplyChangeIn, SavedReplyIn, SavedReplyOut
from daytwo_server.tickets.selectors import saved_replies as selectors
from daytwo_server.tickets.services import Invalid, ReplyWords
from daytwo_server.tickets.services.common import person_of

router = Router(tags=["Saved replies"])
_USE, _SHARE = BearerToken("tickets.reply"), BearerToken("tickets.share_replies")


@router.get("/saved-replies", response=SavedRepliesOut, auth=_USE, by_alias=True)
def list_saved_replies(request: HttpRequest, cursor: str = "", limit: int = 50) -> SavedRepliesOut:
    """The shared ones and those of whoever made the token, the most used first."""
    checked_limit(limit)
    try:
        page = selectors.listed(_person(request), cursor=cursor, limit=limit)
    except BadCursor as problem:
        raise invalid({"cursor": [str(problem)]}) from None
    return SavedRepliesOut(results=[_told(one) for one in page.rows], next=page.next)


@router.post("/saved-replies", response={201: SavedReplyOut}, auth=_SHARE, by_alias=True)
def create_saved_reply(request: HttpRequest, words: SavedReplyIn) -> Status[SavedReplyOut]:
    """Keep one for everybody or, with `shared` false, for whoever made the token."""
    with _refusals():
        made = services.save_reply(ReplyWords(**words.model_dump()), actor=request.auth)  # type: ignore[attr-defined]
    return Status(201, _told(made))


@router.get("/saved-replies/{number}", response=SavedReplyOut, auth=_USE, by_alias=True)
def get_saved_reply(request: HttpRequest, number: str) -> SavedReplyOut:
    """One of them."""
    return _told(_find(request, number))


@router.patch("/saved-replies/{number}", response=SavedReplyOut, auth=_SHARE, by_alias=True)
def change_saved_reply(request: HttpRequest, number: str, change: SavedReplyChangeIn) -> SavedReplyOut:
    """Change what is named."""
    known = _find(request, number)
    given = {name: value for name, value in change.model_dump(exclude_unset=True).items() if value is not None}
    names = ("name", "text", "shortcut", "category", "status", "tags", "shared")
    words: dict[str, Any] = {name: getattr(known, name) for name in names} | given
    with _refusals():
        changed = services.save_reply(ReplyWords(**words), actor=request.auth, known=known)  # type: ignore[attr-defined]
    return _told(changed)


@router.delete("/saved-replies/{number}", response={204: None}, auth=_SHARE)
def delete_saved_reply(request: HttpRequest, number: str) -> Status[None]:
    """Take it away."""
    services.delete_reply(_find(request, number), actor=request.auth)  # type: ignore[attr-defined]
    return Status(204, None)


def _person(request: HttpRequest) -> Any:
    return person_of(request.auth)  # type: ignore[attr-defined]


def _find(request: HttpRequest, number: str) -> SavedReply:
    found = selectors.saved_reply(_person(request), number)
    if found is None:
        raise HttpError(404, "There is no such saved reply.")
    return found


def _told(one: SavedReply) -> SavedReplyOut:
    return SavedReplyOut(
        id=one.pk, name=one.name, text=one.text, shortcut=one.shortcut, category=one.category, status=one.status,
        tags=one.tags, shared=one.shared, used=one.used, owner=one.owner.email if one.owner else None,
        created_at=one.created_at, updated_at=one.updated_at,
    )  # fmt: skip


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Invalid as problem:
        raise invalid(problem.fields) from None
