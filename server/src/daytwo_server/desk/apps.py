from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "daytwo_server.desk"
    label = "desk"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.desk import palette

        permissions.register(
            "desk.use", roles=permissions.EVERYONE, text="Search, and keep their own views of lists and drafts"
        )
        permissions.register("desk.share", roles=permissions.BUILDERS, text="Share views of lists with everybody")
        permissions.register(
            "desk.tidy", roles=permissions.ADMINS, text="Rename, hide and delete what others have shared"
        )
        # Their room lies below this one and cannot register itself.
        palette.register_kind("user", "Members", "members.view", "users")
