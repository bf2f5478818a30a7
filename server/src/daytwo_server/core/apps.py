from django.apps import AppConfig
from django.urls import register_converter
from django.utils.module_loading import autodiscover_modules

from daytwo_server.core import paths


class CoreConfig(AppConfig):
    name = "daytwo_server.core"
    label = "core"

    def ready(self) -> None:
        """Import every room's `jobs` and `retention`: a worker must know each kind that a row may name."""
        autodiscover_modules("jobs", "retention")
        register_converter(paths.Id, "id")
