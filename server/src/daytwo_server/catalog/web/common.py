"""What several pages of this room need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from daytwo_server.catalog.models import Project
from daytwo_server.catalog.services import CatalogError

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


def blame(form: forms.Form, problem: CatalogError, otherwise: str) -> None:
    """Say the problem beside the field it is about."""
    form.add_error(problem.field if problem.field in form.fields else otherwise, str(problem))


def refused(request: HttpRequest, problem: Exception, *, title: str, back: str) -> HttpResponse:
    """Say what the address asks for that does not exist, with a way back to a list that does."""
    words = {"problem": str(problem), "title": title, "back": back}
    return render(request, "catalog/refused.html", words, status=400)


def numbers(values: Sequence[str], most: int = 200) -> list[int]:
    """The ids among what a form sent."""
    return [int(value) for value in values[:most] if value.isascii() and value.isdigit() and len(value) <= 18]
