"""How issues are named where other rooms link to them, and by which words they are found."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.core import search
from daytwo_server.core.ref import Ref, resolver
from daytwo_server.errors.models import Issue


@resolver("issue")
def issues(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {
        str(pk): Ref("issue", pk, title, reverse("errors:issue", args=[pk]))
        for pk, title in Issue.objects.filter(pk__in=ids).values_list("pk", "title")
    }


def words(issue: Issue) -> tuple[str, str]:
    """Title and further words, for the search index."""
    return issue.title, f"{issue.culprit} {issue.value}"


search.source("issue", Issue.objects.all, words)
