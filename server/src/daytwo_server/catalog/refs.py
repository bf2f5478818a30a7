"""How things of this room are named where other rooms link to them, and by which words they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import QuerySet
from django.urls import reverse

from daytwo_server.catalog.models import Component, Deploy, DsnKey, Environment, Project, Release
from daytwo_server.core import search
from daytwo_server.core.query import Term
from daytwo_server.core.ref import Ref, resolver
from daytwo_server.ui.listing import address


@resolver("project")
def projects(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {
        str(project.pk): Ref("project", project.pk, project.name, reverse("catalog:project", args=[project.slug]))
        for project in Project.objects.filter(pk__in=ids)
    }


@resolver("key")
def keys(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = DsnKey.objects.select_related("project").filter(pk__in=ids)
    return {
        str(key.pk): Ref(
            "key",
            key.pk,
            f"{key.project.name}: {key.label}",
            reverse("catalog:project", args=[key.project.slug]),
        )
        for key in found
    }


@resolver("environment")
def environments(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = Environment.objects.select_related("project").filter(pk__in=ids)
    return {str(one.pk): Ref("environment", one.pk, f"{one.project.name}: {one.name}", _page_of(one)) for one in found}


def _page_of(environment: Environment) -> str:
    """The list of its project's environments with this one alone."""
    path = reverse("catalog:environments", args=[environment.project.slug])
    return address(path, hidden="1" if environment.hidden_at else "", q=str(Term("name", environment.name)))


@resolver("release")
def releases(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = Release.objects.select_related("project").filter(pk__in=ids)
    return {
        str(one.pk): Ref("release", one.pk, one.version, reverse("catalog:release", args=[one.project.slug, one.pk]))
        for one in found
    }


def words_of_project(project: Project) -> tuple[str, str]:
    """Title and further words, for the search index."""
    return project.name, f"{project.slug} {project.platform}"


def words_of_release(release: Release) -> tuple[str, str]:
    """Title and further words, for the search index."""
    return release.version, release.project.slug


def words_of_environment(environment: Environment) -> tuple[str, str]:
    """Title and further words, for the search index."""
    return environment.name, f"{environment.project.name} {environment.project.slug} {environment.kind}"


def _environments() -> QuerySet[Environment]:
    return Environment.objects.filter(hidden_at=None, project__archived_at=None).select_related("project")


search.source("environment", _environments, words_of_environment)
search.source("project", lambda: Project.objects.filter(archived_at=None), words_of_project)
search.source("release", lambda: Release.objects.select_related("project"), words_of_release)


@resolver("component")
def components(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {
        str(one.pk): Ref("component", one.pk, one.name, reverse("catalog:component", args=[one.slug]))
        for one in Component.objects.filter(pk__in=ids)
    }


def words_of_component(component: Component) -> tuple[str, str]:
    """Title and further words, for the search index."""
    return component.name, f"{component.slug} {component.team} {component.description}"


search.source("component", lambda: Component.objects.filter(archived_at=None), words_of_component)


@resolver("deploy")
def deploys(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = Deploy.objects.select_related("environment", "release").filter(pk__in=ids)
    return {
        str(one.pk): Ref(
            "deploy",
            one.pk,
            f"{one.release.version} in {one.environment.name}",
            reverse("catalog:deploy", args=[one.pk]),
        )
        for one in found
    }


def words_of_deploy(deploy: Deploy) -> tuple[str, str]:
    """Title and further words, for the search index."""
    return deploy.release.version, f"{deploy.environment.name} {deploy.project.slug}"


search.source("deploy", lambda: Deploy.objects.select_related("project", "environment", "release"), words_of_deploy)
