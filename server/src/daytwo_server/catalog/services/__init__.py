"""Every write about projects. Whoever calls has already asked `permissions.can`."""

from daytwo_server.catalog.services.client_keys import (
    create_client_key,
    ensure_derived_client_key,
    limit_client_key,
    note_client_keys_used,
    restore_client_key,
    revoke_client_key,
)
from daytwo_server.catalog.services.common import MAX_NAME, CatalogError, project_topic
from daytwo_server.catalog.services.components import (
    COMPONENTS_TOPIC,
    ComponentWords,
    archive_component,
    change_component,
    create_component,
    restore_component,
)
from daytwo_server.catalog.services.deploys import DEPLOYS_TOPIC, BadDeploy, DeployWords, change_deploy, record_deploy
from daytwo_server.catalog.services.environments import hide_environments, set_environment_kind, show_environments
from daytwo_server.catalog.services.identity import (
    end_identity_overlap,
    identity_overlaps,
    identity_secret,
    identity_secrets,
    replace_identity_secret,
    tell_identity_secret,
)
from daytwo_server.catalog.services.keys import (
    KEYS_TOPIC,
    MAX_LABEL,
    OVERLAP,
    create_key,
    dsn,
    end_key,
    ensure_derived_key,
    limit_key,
    rotate_key,
    set_key_active,
    undo_rotation,
)
from daytwo_server.catalog.services.projects import (
    MAX_PLATFORM,
    archive_project,
    change_project,
    create_project,
    ensure_project,
    restore_project,
)
from daytwo_server.catalog.services.server_keys import (
    authenticate_server_key,
    create_server_key,
    ensure_derived_server_key,
    is_server_key,
    note_server_keys_used,
    restore_server_key,
    revoke_server_key,
)
from daytwo_server.catalog.services.sightings import Sighting, see
from daytwo_server.catalog.services.volumes import note_uses

__all__ = [
    "COMPONENTS_TOPIC", "DEPLOYS_TOPIC", "KEYS_TOPIC", "MAX_LABEL", "MAX_NAME", "MAX_PLATFORM", "OVERLAP", "BadDeploy",
    "CatalogError", "ComponentWords", "DeployWords", "Sighting", "archive_component", "archive_project",
    "authenticate_server_key", "change_component", "change_deploy", "change_project", "create_client_key",
    "create_component", "create_key", "create_project", "create_server_key", "dsn", "end_identity_overlap", "end_key",
    "ensure_derived_client_key", "ensure_derived_key", "ensure_derived_server_key", "ensure_project",
    "hide_environments", "identity_overlaps", "identity_secret", "identity_secrets", "is_server_key",
    "limit_client_key", "limit_key", "note_client_keys_used", "note_server_keys_used", "note_uses", "project_topic",
    "record_deploy", "replace_identity_secret", "restore_client_key", "restore_component", "restore_project",
    "restore_server_key", "revoke_client_key", "revoke_server_key", "rotate_key", "see", "set_environment_kind",
    "set_key_active", "show_environments", "tell_identity_secret", "undo_rotation",
]  # fmt: skip
