"""`/api/v1/components`."""

from collections.abc import Sequence

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.accounts.selectors import NoMember, members_named
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.api.common import checked_limit, invalid, project_or_400
from daytwo_server.catalog.models import Component
from daytwo_server.catalog.schemas import ComponentChangeIn, ComponentIn, ComponentOut, ComponentsOut
from daytwo_server.catalog.services import CatalogError, ComponentWords
from daytwo_server.core.pages import BadCursor

router = Router(tags=["Components"])
_VIEW, _MANAGE = BearerToken("components.view"), BearerToken("components.manage")


@router.get("/components", response=ComponentsOut, auth=_VIEW, by_alias=True)
def list_components(
    request: HttpRequest,
    archived: bool = False,  # noqa: FBT001, FBT002 - a parameter of the address
    cursor: str = "",
    limit: int = 50,
) -> ComponentsOut:
    """The components in use by name, or the archived ones."""
    try:
        page = selectors.components(archived=archived, cursor=cursor, limit=checked_limit(limit))
    except BadCursor as problem:
        raise invalid({"cursor": [str(problem)]}) from None
    return ComponentsOut(results=[_out(one) for one in page.rows], next=page.next)


@router.post("/components", response={201: ComponentOut}, auth=_MANAGE, by_alias=True)
def create_component(request: HttpRequest, new: ComponentIn) -> Status[ComponentOut]:
    """A new component; its slug is made from the name."""
    words = ComponentWords(
        name=new.name,
        description=new.description,
        project=project_or_400(new.project) if new.project else None,
        team=new.team,
        owners=_people(new.owners),
    )
    try:
        component = services.create_component(words, actor=request.auth)  # type: ignore[attr-defined]
    except CatalogError as problem:
        raise invalid({problem.field or "name": [str(problem)]}) from None
    return Status(201, _out(_find(component.slug)))


@router.get("/components/{slug}", response=ComponentOut, auth=_VIEW, by_alias=True)
def get_component(request: HttpRequest, slug: str) -> ComponentOut:
    """One component, archived or not."""
    return _out(_find(slug))


@router.patch("/components/{slug}", response=ComponentOut, auth=_MANAGE, by_alias=True)
def change_component(request: HttpRequest, slug: str, change: ComponentChangeIn) -> ComponentOut:
    """Change what is named, all of it or nothing; `archived` puts it away or takes it back."""
    component, said = _find(slug), change.model_fields_set
    project = component.project
    if "project" in said:
        project = project_or_400(change.project) if change.project else None
    words = ComponentWords(
        name=change.name if "name" in said else component.name,
        description=change.description if "description" in said else component.description,
        project=project,
        team=change.team if "team" in said else component.team,
        owners=_people(change.owners) if "owners" in said else [owner.pk for owner in component.owners.all()],
    )
    actor = request.auth  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            if said - {"archived"}:
                services.change_component(component, words, actor=actor)
            if "archived" in said:
                (services.archive_component if change.archived else services.restore_component)(component, actor=actor)
    except CatalogError as problem:
        raise invalid({problem.field or "name": [str(problem)]}) from None
    return _out(_find(slug))


def _find(slug: str) -> Component:
    component = selectors.component(slug)
    if component is None:
        raise HttpError(404, "There is no such component.")
    return component


def _people(emails: Sequence[str]) -> list[int]:
    try:
        return members_named(emails)
    except NoMember as problem:
        raise invalid({"owners": [str(problem)]}) from None


def _out(component: Component) -> ComponentOut:
    return ComponentOut(
        id=component.pk,
        slug=component.slug,
        name=component.name,
        description=component.description,
        project=component.project.slug if component.project else None,
        team=component.team,
        owners=[owner.email for owner in component.owners.all()],
        created_at=component.created_at,
        archived_at=component.archived_at,
    )
