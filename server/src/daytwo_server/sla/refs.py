"""How policies are named where other rooms link to them."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.core.ref import Ref, resolver
from daytwo_server.sla.models import Policy


@resolver("sla_policy")
def policies(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = Policy.objects.filter(pk__in=ids)
    return {str(one.pk): Ref("sla_policy", one.pk, one.name, reverse("sla:edit", args=[one.pk])) for one in found}
