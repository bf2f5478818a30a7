"""What several pages of this room need."""

from __future__ import annotations

from typing import Any

from django import forms
from django.shortcuts import get_object_or_404
from django.urls import reverse

from daytwo_server.accounts.permissions import can
from daytwo_server.catalog.models import Project
from daytwo_server.catalog.services import CatalogError

_TABS = (
    ("project", "Keys", "projects.view"),
    ("environments", "Environments", "projects.view"),
    ("releases", "Releases", "projects.view"),
    ("servers", "Server keys", "projects.secrets"),
    ("client-keys", "Client keys", "projects.view"),
    ("settings", "Settings", "projects.manage"),
)


def find_project(slug: str) -> Project:
    """The project of this address, archived or not, else 404."""
    return get_object_or_404(Project, slug=slug)


def project_url(project: Project) -> str:
    return reverse("catalog:project", args=[project.slug])


def tabs(project: Project, current: str, user: Any) -> list[dict[str, Any]]:
    """The parts of a project that somebody may see; `current` is the name of one's route."""
    return [
        {"label": label, "url": reverse(f"catalog:{name}", args=[project.slug]), "current": name == current}
        for name, label, action in _TABS
        if can(user, action)
    ]


def blame(form: forms.Form, problem: CatalogError, otherwise: str) -> None:
    """Say the problem beside the field it is about."""
    form.add_error(problem.field if problem.field in form.fields else otherwise, str(problem))
