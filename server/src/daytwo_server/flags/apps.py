from django.apps import AppConfig


class FlagsConfig(AppConfig):
    name = "daytwo_server.flags"
    label = "flags"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.customers import exports
        from daytwo_server.desk import palette
        from daytwo_server.flags import (
            jobs,  # noqa: F401 - registers them
            refs,  # noqa: F401 - registers them
        )
        from daytwo_server.flags.selectors import export
        from daytwo_server.ui import nav

        engineers = permissions.ADMINS | {permissions.Role.ENGINEER}
        permissions.register("flags.view", roles=permissions.EVERYONE, text="See feature flags and what they answer")
        permissions.register(
            "flags.change", roles=engineers, text="Create and change feature flags, and switch them off"
        )
        permissions.register(
            "flags.override",
            roles=engineers | {permissions.Role.AGENT},
            text="Switch a feature flag for one customer or organization",
        )
        exports.register("flags", export.of_customer)
        palette.register_kind("flag", "Flags", "flags.view", "flag")
        palette.register_command(
            "flags.create", "New flag", action="flags.change", icon="flag", url_name="flags:create"
        )
        nav.register("Ship", "Flags", "flags:list", "flag", "f", 10, "flags.view")
