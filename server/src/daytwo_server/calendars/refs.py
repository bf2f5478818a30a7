"""How calendars are named where other rooms link to them."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from daytwo_server.calendars.models import Calendar
from daytwo_server.core.ref import Ref, resolver


@resolver("calendar")
def calendars(ids: Sequence[str]) -> Mapping[str, Ref]:
    found = Calendar.objects.filter(pk__in=ids)
    return {
        str(one.pk): Ref("calendar", one.pk, one.name, reverse("calendars:calendar", args=[one.pk])) for one in found
    }
