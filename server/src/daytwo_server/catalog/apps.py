from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "daytwo_server.catalog"
    label = "catalog"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.catalog import (
            jobs,  # noqa: F401 - registers them
            refs,  # noqa: F401 - registers them
        )
        from daytwo_server.desk import palette
        from daytwo_server.ui import nav

        everyone, builders = permissions.EVERYONE, permissions.BUILDERS
        permissions.register("projects.view", roles=everyone, text="See projects, keys and releases")
        permissions.register(
            "projects.manage",
            roles=builders,
            text="Create, change and archive projects, their keys and their environments",
        )
        permissions.register(
            "projects.secrets", roles=permissions.ADMINS, text="Create and revoke server keys, see the identity secret"
        )
        permissions.register("components.view", roles=everyone, text="See components")
        permissions.register("components.manage", roles=builders, text="Create, change and archive components")
        permissions.register("deploys.view", roles=everyone, text="See deploys")
        permissions.register("deploys.create", roles=builders, text="Tell of deploys and correct them (by the API)")
        nav.register("Ship", "Deploys", "catalog:deploys", "bolt", "d", 20, "deploys.view")
        nav.register("Operate", "Components", "catalog:components", "hash", "", 75, "components.view")
        palette.register_kind("project", "Projects", "projects.view", "box")
        palette.register_kind("environment", "Environments", "projects.view", "globe")
        palette.register_kind("release", "Releases", "projects.view", "archive")
        palette.register_kind("component", "Components", "components.view", "hash")
        palette.register_kind("deploy", "Deploys", "deploys.view", "bolt", prefix="DEP")
        palette.register_command(
            "catalog.create-project", "New project", action="projects.manage", icon="box", url_name="catalog:create"
        )
        palette.register_command(
            "catalog.create-component",
            "New component",
            action="components.manage",
            icon="hash",
            url_name="catalog:create-component",
        )
        nav.register("Operate", "Projects", "catalog:list", "box", "p", 80, "projects.view")
