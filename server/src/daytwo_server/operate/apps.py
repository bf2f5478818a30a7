from django.apps import AppConfig


class OperateConfig(AppConfig):
    name = "daytwo_server.operate"
    label = "operate"

    def ready(self) -> None:
        from daytwo_server.accounts import permissions
        from daytwo_server.ui import nav

        permissions.register("operate.view", roles=permissions.EVERYONE, text="See how this installation is doing")
        nav.register_section(
            "Installation", "Ingest health", "operate:ingest", "pulse", 10, "operate.view",
            text="What apps send, what was stored, what was dropped and why",
        )  # fmt: skip
