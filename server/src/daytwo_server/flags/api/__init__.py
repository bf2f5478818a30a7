"""`/api/v1/flags` and `/api/v1/segments`."""

from ninja import Router

from daytwo_server.flags.api import flags, importing, overrides, segments

router = Router()
router.add_router("", importing.router)  # first: `import` is no key
router.add_router("", flags.router)
router.add_router("", overrides.router)
router.add_router("", segments.router)
