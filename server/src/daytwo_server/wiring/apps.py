from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig


class WiringConfig(AppConfig):
    name = "daytwo_server.wiring"
    label = "wiring"

    def ready(self) -> None:
        """Import every reaction, so that importing the app is registering the behaviour of the whole system."""
        for module in iter_modules(import_module(self.name).__path__):
            if module.name != "apps":
                import_module(f"{self.name}.{module.name}")
