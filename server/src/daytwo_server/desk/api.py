"""`/api/v1/views`: saved views of lists, as whoever made the token has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.errors import HttpError, ValidationError
from pydantic import ConfigDict

from daytwo_server.accounts.api_auth import BearerToken, demand
from daytwo_server.accounts.models import ApiToken, Membership, User
from daytwo_server.desk import selectors, services
from daytwo_server.desk.models import SavedView

router = Router(tags=["Saved views"])
_AUTH = BearerToken("desk.use")
_NOBODY = "Views belong to somebody, and nobody owns this workspace yet."


class ViewIn(Schema):
    """A view of the list `page` (tickets, errors, ...): `query` is the query string of its address."""

    model_config = ConfigDict(extra="forbid")

    page: str
    name: str
    query: str
    shared: bool = False


class ViewChangeIn(Schema):
    """What to change; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    shared: bool | None = None


class ViewOut(Schema):
    """`owner` is an address."""

    id: int
    page: str
    name: str
    query: str
    shared: bool
    owner: str


class ViewsOut(Schema):
    """Of one list, all of them: one's own in their order, then what others share."""

    results: list[ViewOut]


@router.get("/views", response=ViewsOut, auth=_AUTH)
def list_views(request: HttpRequest, page: str) -> ViewsOut:
    """The views of a list that the maker of the token has as tabs: `?page=tickets`."""
    return ViewsOut(results=[_told(view) for view in selectors.views(_owner(request), page)])


@router.post("/views", response={201: ViewOut}, auth=_AUTH)
def save_view(request: HttpRequest, view: ViewIn) -> Status[ViewOut]:
    """Keep one; the same name again replaces it. A shared one needs desk.share."""
    owner = _owner(request)
    if view.shared:
        demand(_token(request), "desk.share")
    with _refusals():
        made = services.save_view(owner, view.page, view.name, view.query, shared=view.shared)
    return Status(201, _told(made))


@router.patch("/views/{number}", response=ViewOut, auth=_AUTH)
def change_view(request: HttpRequest, number: str, change: ViewChangeIn) -> ViewOut:
    """Rename or share it. What others share needs desk.tidy."""
    found = _find(request, number)
    if change.shared and not found.shared:
        demand(_token(request), "desk.share")
    with _refusals():
        if change.name is not None:
            services.rename_view(found, change.name)
        if change.shared is not None:
            services.share_view(found, shared=change.shared, actor=_owner(request))
    found.refresh_from_db()
    return _told(found)


@router.delete("/views/{number}", response={204: None}, auth=_AUTH)
def delete_view(request: HttpRequest, number: str) -> Status[None]:
    """Take it away. What others share needs desk.tidy."""
    services.delete_view(_find(request, number), actor=_owner(request))
    return Status(204, None)


def _token(request: HttpRequest) -> ApiToken:
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return token


def _owner(request: HttpRequest) -> User:
    """Who made the token. For one that setup derived, the workspace's first owner."""
    if (maker := _token(request).created_by) is not None:
        return maker
    first = Membership.objects.filter(role=Membership.Role.OWNER).select_related("user").order_by("pk").first()
    if first is None:
        raise HttpError(403, _NOBODY)
    owner: User = first.user
    return owner


def _find(request: HttpRequest, number: str) -> SavedView:
    """One's own, or a shared one for those who tidy up."""
    owner = _owner(request)
    known = number.isascii() and number.isdecimal() and len(number) <= 18
    views = SavedView.objects.select_related("owner").filter(deleted_at=None)
    found = views.filter(pk=int(number)).first() if known else None
    if found is None or (found.owner_id != owner.pk and not found.shared):
        raise HttpError(404, "There is no such view.")
    if found.owner_id != owner.pk:
        demand(_token(request), "desk.tidy")
    return found


def _told(view: SavedView) -> ViewOut:
    return ViewOut(
        id=view.pk, page=view.page, name=view.name, query=view.query, shared=view.shared, owner=view.owner.email
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except services.DeskError as problem:
        said = {"type": "value_error", "loc": ("body", "name"), "msg": str(problem), "ctx": {"error": str(problem)}}
        raise ValidationError([said]) from None
