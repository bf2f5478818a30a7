"""What pages, the API and intake read about projects."""

from daytwo_server.catalog.selectors.components import component, components, owners_of
from daytwo_server.catalog.selectors.deploys import (
    Neighbours,
    deploy,
    deploy_before,
    deploys,
    deploys_of,
    deploys_within,
    neighbours,
)
from daytwo_server.catalog.selectors.environments import (
    LeftOut,
    environment_names,
    environments_of,
    left_out,
    production_environments,
    volume,
    volumes_since,
)
from daytwo_server.catalog.selectors.keys import KeyRow, key_table, keys_of, uses_since
from daytwo_server.catalog.selectors.projects import (
    project_by_slug,
    projects,
    projects_to_choose,
    projects_with_key,
)
from daytwo_server.catalog.selectors.releases import recent_releases, release, releases_of

__all__ = [
    "KeyRow", "LeftOut", "Neighbours", "component", "components", "deploy", "deploy_before", "deploys",
    "deploys_of", "deploys_within", "environment_names", "environments_of", "key_table", "keys_of", "left_out",
    "neighbours", "owners_of", "production_environments", "project_by_slug", "projects", "projects_to_choose",
    "projects_with_key", "recent_releases", "release", "releases_of", "uses_since", "volume", "volumes_since",
]  # fmt: skip
