"""How issues are named where other rooms link to them."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.core.ref import Ref, resolver
from daytwo_server.errors.models import Issue


@resolver("issue")
def issues(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {
        str(pk): Ref("issue", pk, title, reverse("errors:issue", args=[pk]))
        for pk, title in Issue.objects.filter(pk__in=ids).values_list("pk", "title")
    }
