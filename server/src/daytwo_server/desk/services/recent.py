"""Where people were."""

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.core import clock
from daytwo_server.core.ref import Ref
from daytwo_server.desk.models import Recent

KEPT = 50


@transaction.atomic
def visited(user: User, ref: Ref) -> None:
    """Remember that this person is on the page of an object; the last 50 are kept."""
    Recent.objects.update_or_create(user=user, kind=ref.kind, object_id=ref.id, defaults={"at": clock.now()})
    old = Recent.objects.filter(user=user).order_by("-at", "-pk").values_list("pk", flat=True)[KEPT:]
    Recent.objects.filter(pk__in=list(old)).delete()
