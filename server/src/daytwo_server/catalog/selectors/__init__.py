"""What pages, the API and intake read about projects."""

from daytwo_server.catalog.selectors.components import COMPONENTS, component, components
from daytwo_server.catalog.selectors.deploys import (
    DEPLOYS,
    Neighbours,
    deploy,
    deploy_before,
    deploys,
    deploys_of,
    deploys_within,
    neighbours,
)
from daytwo_server.catalog.selectors.environments import (
    ENVIRONMENTS,
    LeftOut,
    environment_names,
    environment_page,
    environments_of,
    left_out,
    production_environments,
    volume,
    volumes_since,
)
from daytwo_server.catalog.selectors.keys import KeyRow, client_keys, key_table, keys_of, server_keys, uses_since
from daytwo_server.catalog.selectors.projects import (
    PROJECTS,
    project_by_slug,
    projects,
    projects_to_choose,
    projects_with_key,
)
from daytwo_server.catalog.selectors.releases import RELEASES, recent_releases, release, releases_of

__all__ = [
    "COMPONENTS", "DEPLOYS", "ENVIRONMENTS", "PROJECTS", "RELEASES", "KeyRow", "LeftOut", "Neighbours", "client_keys",
    "component", "components", "deploy", "deploy_before", "deploys", "deploys_of", "deploys_within",
    "environment_names", "environment_page", "environments_of", "key_table", "keys_of", "left_out", "neighbours",
    "owners_of", "production_environments", "project_by_slug", "projects", "projects_to_choose", "projects_with_key",
    "recent_releases", "release", "releases_of", "server_keys", "uses_since", "volume", "volumes_since",
]  # fmt: skip
