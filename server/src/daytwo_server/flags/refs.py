"""How flags and segments are named where other rooms link to them, and by which words they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import QuerySet
from django.urls import reverse

from daytwo_server.core import search
from daytwo_server.core.ref import Ref, resolver
from daytwo_server.flags.models import Flag, Segment


@resolver("flag")
def flags(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {
        str(one.pk): Ref("flag", one.pk, one.key, reverse("flags:flag", args=[one.pk]))
        for one in Flag.objects.filter(pk__in=ids)
    }


@resolver("segment")
def segments(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {
        str(one.pk): Ref("segment", one.pk, one.name, reverse("flags:segment", args=[one.pk]))
        for one in Segment.objects.filter(pk__in=ids)
    }


def words(flag: Flag) -> tuple[str, str]:
    """Title and further words, for the search index."""
    return flag.key, " ".join([flag.name, *flag.tags, flag.project.slug, flag.description])


def _findable() -> QuerySet[Flag]:
    return Flag.objects.filter(archived_at=None, project__archived_at=None).select_related("project")


search.source("flag", _findable, words)
