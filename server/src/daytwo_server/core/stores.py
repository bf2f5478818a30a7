"""Which table lives in which store.

`default` holds what people write and the state of things; `telemetry` holds what machines send, bound by retention.
A room names its telemetry models in its app config: `telemetry_models = {"eventbody"}` (lower-case model names).
"""

from typing import Any

from django.apps import apps

DEFAULT, TELEMETRY = "default", "telemetry"


def store_of(app_label: str, model_name: str | None) -> str:
    """The alias of the store that holds this model's table."""
    return TELEMETRY if model_name in _telemetry_models(app_label) else DEFAULT


def _telemetry_models(app_label: str) -> frozenset[str]:
    return getattr(apps.get_app_config(app_label), "telemetry_models", frozenset())


class StoreRouter:
    """Django's database router: reads, writes and migrations of a model go to its store."""

    def db_for_read(self, model: Any, **_hints: Any) -> str:
        return store_of(model._meta.app_label, model._meta.model_name)

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **_hints: Any) -> bool:
        return self.db_for_read(one) == self.db_for_read(other)  # either may be a lazy object around a row

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: Any) -> bool | None:
        if model_name is None:
            # RunPython and RunSQL: those of rooms with tables in both stores say by hints which one they mean.
            return db == DEFAULT if not _telemetry_models(app_label) else None
        return store_of(app_label, model_name) == db
