from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "daytwo_server.accounts"
    label = "accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from daytwo_server.accounts import (
            jobs,  # noqa: F401 - registers them
            permissions,
            presence,
            refs,  # noqa: F401 - registers them
        )
        from daytwo_server.ui import nav

        user_logged_in.connect(presence.note_sign_in, dispatch_uid="accounts.presence")
        permissions.register("profile.edit", roles=permissions.EVERYONE, text="Change their own name and display")
        permissions.register("security.edit", roles=permissions.EVERYONE, text="Change how they sign in")
        permissions.register("members.view", roles=permissions.EVERYONE, text="See who works here, and as what")
        permissions.register(
            "members.manage",
            roles=permissions.ADMINS,
            text="Invite, switch off and remove people, and give roles up to Admin",
        )
        permissions.register(
            "owners.manage", roles=frozenset({permissions.Role.OWNER}), text="Make, change and remove owners"
        )
        permissions.register("tokens.manage", roles=permissions.ADMINS, text="Create and revoke API tokens")
        permissions.register("settings.view", roles=permissions.EVERYONE, text="Open the settings they may change")
        nav.register("Operate", "Settings", "settings", "settings", ",", 90, "settings.view")
        nav.register_section(
            "You", "Profile", "profile", "users", 10, "profile.edit", text="Name, colours, time zone, shortcuts"
        )
        nav.register_section(
            "You", "Security", "security", "shield", 15, "security.edit", text="Password, passkeys, codes, accounts"
        )
        nav.register_section("You", "Sessions", "sessions", "globe", 20, "profile.edit", text="Where you are signed in")
        nav.register_section(
            "Workspace", "Members", "members", "users", 10, "members.view", text="People, their roles, invitations"
        )
        nav.register_section("Workspace", "Teams", "teams", "users", 12, "members.view", text="Who answers together")
        nav.register_section(
            "Workspace",
            "API tokens",
            "api_tokens",
            "key",
            40,
            "tokens.manage",
            text="Keys for programs",
        )
