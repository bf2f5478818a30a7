"""One line for each framework. A module here imports its framework; nothing else of Daytwo does."""

from typing import TYPE_CHECKING

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import on first use: `daytwo.integrations.flask.install(app)`."""
        from importlib import import_module

        if name in {"celery", "django", "fastapi", "flask", "openfeature"}:
            return import_module(f"daytwo.integrations.{name}")
        raise AttributeError(f"module 'daytwo.integrations' has no attribute {name!r}")
