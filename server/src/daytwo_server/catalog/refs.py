"""How projects and keys are named where other rooms link to them."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.catalog.models import DsnKey, Project
from daytwo_server.core.ref import Ref, resolver


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
