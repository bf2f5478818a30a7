"""What the errors room leaves to be done later."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from daytwo_server.core import clock, jobs, sql
from daytwo_server.core.db import chunked_delete
from daytwo_server.core.stores import TELEMETRY
from daytwo_server.errors.models import Activity, Event, EventBody, Facet, IssueUser
from daytwo_server.errors.prepare import close_body, open_body

CHUNK = 200
DELETED_KEPT = dt.timedelta(days=1)
# Tags that SDKs make from the user, beside the `user` of the event itself.
PERSONAL_FACETS = ("user", "user.id", "user.email", "user.username", "user.name", "user.ip", "user.ip_address")


@jobs.job("errors.forget")
def forget(customer: int) -> None:
    """Take a customer out of everything that errors keep: bodies first, so that a retry still finds them."""
    for user in IssueUser.objects.filter(customer_id=customer):
        events = Event.objects.filter(issue=user.issue_id, user_key=user.user_key)
        ids = list(events.values_list("event_id", "project_id"))
        for chunk in sql.batches(ids, CHUNK):
            _forget_bodies(chunk)
        with transaction.atomic():
            events.update(user_key="", customer_id=None)
            IssueUser.objects.filter(pk=user.pk).update(user_key=f"erased:{user.pk}"[:32], customer_id=None)
            Facet.objects.filter(issue=user.issue_id, key__in=PERSONAL_FACETS).delete()


def _forget_bodies(events: Any) -> None:
    bodies = EventBody.objects.filter(event_id__in=[event_id for event_id, _ in events])
    with transaction.atomic(using=TELEMETRY):
        for row in bodies:
            event = open_body(bytes(row.body))
            event.pop("user", None)
            for name in PERSONAL_FACETS:
                if isinstance(event.get("tags"), dict):
                    event["tags"].pop(name, None)
            EventBody.objects.filter(event_id=row.event_id, project_id=row.project_id).update(body=close_body(event))


@jobs.periodic("37 3 * * *")
@jobs.job("errors.prune_comments")
def prune_comments() -> None:
    """Remove comments a day after they were deleted."""
    chunked_delete(Activity.objects.filter(deleted_at__lt=clock.now() - DELETED_KEPT))
