"""How jobs are named where other rooms link to them."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.core.models import Job
from daytwo_server.core.ref import Ref, resolver


@resolver("job")
def jobs(ids: Sequence[str]) -> Mapping[str, Ref]:
    """Those that are still kept: a job that is done is gone."""
    return {
        str(pk): Ref("job", pk, f"{pk}, {kind}", reverse("operate:job", args=[pk]))
        for pk, kind in Job.objects.filter(pk__in=ids).values_list("pk", "kind")
    }
