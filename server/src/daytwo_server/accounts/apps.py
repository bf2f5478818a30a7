from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "daytwo_server.accounts"
    label = "accounts"

    def ready(self) -> None:
        from daytwo_server.accounts import (
            jobs,  # noqa: F401 - registers them
            permissions,
            refs,  # noqa: F401 - registers them
        )
        from daytwo_server.ui import nav

        permissions.register("profile.edit", roles=permissions.EVERYONE, text="Change their own name and display")
        permissions.register("tokens.manage", roles=permissions.ADMINS, text="Create and revoke API tokens")
        permissions.register("settings.view", roles=permissions.EVERYONE, text="Open the settings they may change")
        nav.register("Operate", "Settings", "settings", "settings", ",", 90, "settings.view")
        nav.register_section(
            "You", "Profile", "profile", "users", 10, "profile.edit", text="Name, colours, time zone, shortcuts"
        )
        nav.register_section(
            "Workspace",
            "API tokens",
            "api_tokens",
            "key",
            40,
            "tokens.manage",
            text="Keys for programs",
        )
