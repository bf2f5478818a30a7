"""`/api/v1/deploys`."""

from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from daytwo_server.accounts.api_auth import BearerToken
from daytwo_server.catalog import selectors, services
from daytwo_server.catalog.api.common import checked_limit, invalid
from daytwo_server.catalog.models import Deploy
from daytwo_server.catalog.schemas import DeployChangeIn, DeployIn, DeployOut, DeploysOut
from daytwo_server.core.pages import BadCursor
from daytwo_server.core.query import BadFilter, Query, Term

_BIGINT = 2**63

router = Router(tags=["Deploys"])
_VIEW, _CREATE = BearerToken("deploys.view"), BearerToken("deploys.create")


@router.post("/deploys", response={200: DeployOut, 201: DeployOut}, auth=_CREATE, by_alias=True)
def record_deploy(request: HttpRequest, told: DeployIn) -> Status[DeployOut]:
    """Tell of a deploy: 201 for a new one, 200 for one that is known, which this finishes if it was running.

    It is known if the header `Idempotency-Key` is, or project, environment, version and `startedAt` are, or one of
    this version is still running there. Environment and release are added when they are new.
    """
    words = services.DeployWords(
        **told.model_dump(exclude={"environment", "version", "url"}),
        environment=told.environment.strip(),
        version=told.version.strip(),
        url=told.url.strip(),
        idempotency_key=request.headers.get("Idempotency-Key", "").strip(),
    )
    try:
        deploy, new = services.record_deploy(words, token=request.auth)  # type: ignore[attr-defined]
    except services.BadDeploy as problem:
        raise invalid(problem.fields) from None
    return Status(201 if new else 200, _out(deploy))


@router.get("/deploys", response=DeploysOut, auth=_VIEW, by_alias=True)
def list_deploys(
    request: HttpRequest,
    project: str = "",
    environment: str = "",
    status: str = "",
    cursor: str = "",
    limit: int = 50,
) -> DeploysOut:
    """Deploys, the last to start first. `project` is a slug, `environment` a name."""
    asked = {"project": project, "environment": environment, "status": status}
    terms = tuple(Term(key, value) for key, value in asked.items() if value)
    try:
        page = selectors.deploys(Query(terms), cursor=cursor, limit=checked_limit(limit))
    except BadFilter as problem:
        raise invalid({problem.field: [str(problem)]}) from None
    except BadCursor as problem:
        raise invalid({"cursor": [str(problem)]}) from None
    return DeploysOut(results=[_out(deploy) for deploy in page.rows], next=page.next)


@router.get("/deploys/{deploy_id}", response=DeployOut, auth=_VIEW, by_alias=True)
def get_deploy(request: HttpRequest, deploy_id: int) -> DeployOut:
    """One deploy."""
    return _out(_find(deploy_id))


@router.patch("/deploys/{deploy_id}", response=DeployOut, auth=_CREATE, by_alias=True)
def change_deploy(request: HttpRequest, deploy_id: int, change: DeployChangeIn) -> DeployOut:
    """Finish a deploy, or correct what was told of it."""
    token = request.auth  # type: ignore[attr-defined]
    try:
        return _out(services.change_deploy(_find(deploy_id), **change.model_dump(), token=token))
    except services.BadDeploy as problem:
        raise invalid(problem.fields) from None


def _find(number: int) -> Deploy:
    deploy = selectors.deploy(number) if 0 < number < _BIGINT else None
    if deploy is None:
        raise HttpError(404, "There is no such deploy.")
    return deploy


def _out(deploy: Deploy) -> DeployOut:
    return DeployOut(
        id=deploy.pk,
        project=deploy.project.slug,
        environment=deploy.environment.name,
        version=deploy.release.version,
        url=deploy.url,
        started_at=deploy.started_at,
        finished_at=deploy.finished_at,
        status=Deploy.Status(deploy.status),
    )
