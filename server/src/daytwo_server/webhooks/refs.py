"""How webhooks are named where other rooms link to them."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.core.ref import Ref, resolver
from daytwo_server.webhooks.models import Endpoint


@resolver("webhook")
def webhooks(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = Endpoint.objects.filter(pk__in=ids)
    return {str(one.pk): Ref("webhook", one.pk, one.name, reverse("webhooks:endpoint", args=[one.pk])) for one in found}
