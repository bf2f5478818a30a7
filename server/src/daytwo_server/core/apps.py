from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "daytwo_server.core"
    label = "core"

    def ready(self) -> None:
        """Import every room's `jobs`: a worker must know each kind that a row may name."""
        autodiscover_modules("jobs")
