from django.apps import AppConfig


class ErrorsConfig(AppConfig):
    name = "daytwo_server.errors"
    label = "errors"
    telemetry_models = frozenset({"eventbody"})

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.desk import palette
        from daytwo_server.errors import refs  # noqa: F401 - registers it
        from daytwo_server.errors.selectors import issues
        from daytwo_server.ui import nav

        permissions.register("errors.view", roles=permissions.EVERYONE, text="See errors")
        permissions.register("errors.triage", roles=permissions.BUILDERS, text="Resolve, ignore and assign errors")
        permissions.register(
            "errors.comment", roles=permissions.EVERYONE - {permissions.Role.VIEWER}, text="Comment on errors"
        )
        palette.register_kind("issue", "Errors", "errors.view", "bug", prefix="ERR")
        nav.register("Observe", "Errors", "errors:list", "bug", "e", 10, "errors.view", tab=30)
        nav.count("errors:list", issues.fresh, "new or back within a day, and nobody's")
