from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "daytwo_server.catalog"
    label = "catalog"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.catalog import refs  # noqa: F401 - registers them
        from daytwo_server.ui import nav

        permissions.register("projects.view", roles=permissions.EVERYONE, text="See projects, keys and releases")
        permissions.register(
            "projects.manage", roles=permissions.BUILDERS, text="Create projects and change their keys"
        )
        nav.register("Operate", "Projects", "catalog:list", "box", "p", 80, "projects.view")
