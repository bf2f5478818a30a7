"""Daytwo's own errors, sent to whatever SENTRY_DSN names: usually a project of its own.

Never from intake and digest: an error about an error would feed itself.
"""

from __future__ import annotations

from typing import Any

import daytwo
from daytwo_server.core.conf import Conf
from daytwo_server.main.version import version

SILENT_LOGGERS = ("daytwo_server.ingest.*", "daytwo_server.core.groupcommit", "daytwo.digest", "uvicorn.*")


def start(conf: Conf) -> bool:
    """Report errors of pages and jobs when a DSN is set; tells whether it does.

    The SDK is imported only then: it costs memory that most installations can spare.
    """
    if not conf.sentry_dsn:
        return False
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger

    for name in SILENT_LOGGERS:
        ignore_logger(name)
    return daytwo.init(
        conf.sentry_dsn,
        environment=conf.sentry_environment,
        release=f"daytwo@{version(conf)}",
        traces_sample_rate=0.0,
        send_in_development=True,  # whoever sets the DSN of a server wants its errors
        logs=False,
        log_errors=False,  # intake and digest log as well
        send_default_pii=False,
        # Forms hold passwords, variables hold whatever a form held, and paths can hold one-time links.
        max_request_body_size="never",
        include_local_variables=False,
        before_send=_without_address,
        max_breadcrumbs=0,
        default_integrations=False,
        integrations=[DjangoIntegration(), LoggingIntegration()],
    )


def _without_address(event: dict[str, Any], _hint: dict[str, Any]) -> dict[str, Any]:
    """The report with the route for an address: that is its transaction."""
    request = event.get("request")
    if isinstance(request, dict):
        event["request"] = {name: request[name] for name in ("method",) if name in request}
    return event
