"""`/api/v1/projects`."""

from django.http import HttpRequest
from ninja import Router

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.schemas import ProjectOut, ProjectsOut
from daytwo_server.core import conf

router = Router(tags=["Projects"])


@router.get("/projects", response=ProjectsOut, auth=BearerToken("projects.view"), by_alias=True)
def list_projects(request: HttpRequest) -> ProjectsOut:
    """All projects with the address that SDKs report to."""
    public_url = conf.current().public_url
    return ProjectsOut(
        results=[
            ProjectOut(
                id=project.pk,
                name=project.name,
                slug=project.slug,
                platform=project.platform,
                created_at=project.created_at,
                first_event_at=project.first_event_at,
                archived_at=project.archived_at,
                dsn=services.dsn(key, public_url) if key else None,
            )
            for project, key in selectors.projects_with_key()
        ],
        next=None,
    )
