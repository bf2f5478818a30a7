from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "daytwo_server.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.ui import nav
        from daytwo_server.webhooks import (
            jobs,  # noqa: F401 - registers them
            refs,  # noqa: F401 - the same
        )

        permissions.register("webhooks.manage", roles=permissions.ADMINS, text="Have other systems told what happens")
        nav.register_section(
            "Workspace", "Webhooks", "webhooks:list", "bolt", 45, "webhooks.manage",
            text="Other systems that are told what happens",
        )  # fmt: skip
