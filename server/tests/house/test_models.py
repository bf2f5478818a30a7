"""Rules about the tables that no linter sees."""

import io

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

from daytwo_server.core.stores import store_of

FLOORS = [
    "core",
    "ui",
    "mail",
    "accounts",
    "desk",
    "links",
    "catalog",
    "customers",
    "errors",
    "tickets",
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
