"""Every write about projects. Whoever calls has already asked `permissions.can`."""

from daytwo_server.catalog.services.common import MAX_NAME, CatalogError, project_topic
from daytwo_server.catalog.services.keys import (
    KEYS_TOPIC,
    MAX_LABEL,
    create_key,
    dsn,
    ensure_derived_key,
    limit_key,
    set_key_active,
)
from daytwo_server.catalog.services.projects import create_project, ensure_project
from daytwo_server.catalog.services.sightings import Sighting, see

__all__ = [
    "KEYS_TOPIC",
    "MAX_LABEL",
    "MAX_NAME",
    "CatalogError",
    "Sighting",
    "create_key",
    "create_project",
    "dsn",
    "ensure_derived_key",
    "ensure_project",
    "limit_key",
    "project_topic",
    "see",
    "set_key_active",
]
