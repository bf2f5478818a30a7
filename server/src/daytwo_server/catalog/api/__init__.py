"""`/api/v1/projects`, `/api/v1/components` and `/api/v1/deploys`."""

from ninja import Router

from daytwo_server.catalog.api import components, deploys, projects

router = Router()
router.add_router("", projects.router)
router.add_router("", components.router)
router.add_router("", deploys.router)
