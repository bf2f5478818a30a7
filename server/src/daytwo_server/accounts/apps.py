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
        nav.register("Operate", "API tokens", "api_tokens", "key", "", 90, "tokens.manage")
