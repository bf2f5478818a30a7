"""Rules about the tables that no linter sees."""

import io

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField, CreateModel

from daytwo_server.core.stores import store_of

FLOORS = [
    "core",
    "ui",
    "mail",
    "accounts",
    "desk",
    "links",
    "calendars",
    "webhooks",
    "catalog",
    "customers",
    "errors",
    "tickets",
    "flags",
    "rollouts",
    "sla",
    "portal",
    "operate",
    "ingest",
    "wiring",
]
OURS = [model for model in apps.get_models() if model.__module__.startswith("daytwo_server.")]


def test_foreign_keys_point_down():
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in OURS
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        and field.related_model._meta.app_label in FLOORS
        and FLOORS.index(field.related_model._meta.app_label) > FLOORS.index(model._meta.app_label)
    ]
    assert upward == []


def test_no_key_crosses_from_one_store_to_the_other():
    crossing = [
        f"{model._meta.label}.{field.name}"
        for model in OURS
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        and store_of(model._meta.app_label, model._meta.model_name)
        != store_of(field.related_model._meta.app_label, field.related_model._meta.model_name)
    ]
    assert crossing == []


def test_every_room_is_on_a_floor():
    assert {model._meta.app_label for model in OURS} <= set(FLOORS)


@pytest.mark.django_db(databases=["default", "telemetry"])
def test_the_migrations_say_what_the_models_say():
    said = io.StringIO()
    call_command("makemigrations", dry_run=True, stdout=said)
    assert said.getvalue() == "No changes detected\n"


def test_the_version_before_can_write_to_tables_that_got_new_columns():
    """It does not name them, so the database has to: Django's own defaults are gone once a column is there."""
    without = []
    for (room, name), migration in MigrationLoader(None).disk_migrations.items():
        made = {each.name_lower for each in migration.operations if isinstance(each, CreateModel)}
        for added in migration.operations:
            if room not in FLOORS or not isinstance(added, AddField) or added.model_name_lower in made:
                continue
            field = apps.get_model(room, added.model_name)._meta.get_field(added.name)
            if field.column and not (field.null or field.generated or field.has_db_default()):
                without.append(f"{room}.{name}: {added.model_name}.{added.name}")
    assert without == []
