"""What several pages of this room need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.shortcuts import get_object_or_404
from django.urls import reverse

from daytwo_server.catalog.models import Project
from daytwo_server.catalog.services import CatalogError
from daytwo_server.ui.listing import Address

_TABS = (
    ("project", "Keys"),
    ("environments", "Environments"),
    ("releases", "Releases"),
    ("settings", "Settings"),
)


def find_project(slug: str) -> Project:
    """The project of this address, archived or not, else 404."""
    return get_object_or_404(Project, slug=slug)


def project_url(project: Project) -> str:
    return reverse("catalog:project", args=[project.slug])


def tabs(project: Project, current: str, *, may_manage: bool) -> list[dict[str, Any]]:
    """The parts of a project; `current` is the name of one's route."""
    return [
        {"label": label, "url": reverse(f"catalog:{name}", args=[project.slug]), "current": name == current}
        for name, label in _TABS
        if may_manage or name != "settings"
    ]


def archive_tabs(listing: Address, *, archived: bool) -> list[dict[str, Any]]:
    """What is in use, and what was put away."""
    return [
        {"label": "In use", "url": listing.url(archived=None), "current": not archived},
        {"label": "Archived", "url": listing.url(archived="1"), "current": archived},
    ]


def blame(form: forms.Form, problem: CatalogError, otherwise: str) -> None:
    """Say the problem beside the field it is about."""
    form.add_error(problem.field if problem.field in form.fields else otherwise, str(problem))


def numbers(values: Sequence[str], most: int = 200) -> list[int]:
    """The ids among what a form sent."""
    return [int(value) for value in values[:most] if value.isascii() and value.isdigit() and len(value) <= 18]
