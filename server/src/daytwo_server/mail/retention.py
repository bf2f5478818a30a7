"""How long mail is kept as it came and as it went. What other rooms took from it is theirs to keep."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction

from daytwo_server.core import blobs, retention
from daytwo_server.mail.models import Delivery, InboundMail

CHUNK = 100


def sweep(before: dt.datetime) -> Iterator[int]:
    """Also what is in quarantine: nobody looked at it for that long. What waits to be sent or read stays."""
    came = InboundMail.objects.filter(received_at__lt=before).exclude(state=InboundMail.State.RECEIVED)
    while chunk := list(came.order_by("received_at").values_list("pk", "raw")[:CHUNK]):
        with transaction.atomic():
            InboundMail.objects.filter(pk__in=[pk for pk, _ in chunk]).delete()
            blobs.discard(raw for _, raw in chunk if raw)
        yield len(chunk)
    went = Delivery.objects.filter(settled_at__lt=before)
    while old := list(went.order_by("settled_at").values_list("pk", flat=True)[:CHUNK]):
        Delivery.objects.filter(pk__in=old).delete()
        yield 0


retention.register(
    retention.Kind(
        name="mail", label="Mail",
        text="Mails as they came and as they were sent; tickets keep what they took from them",
        noun="mail", nouns="mails", setting="retention_mail_days", sweep=sweep, tables=(InboundMail, Delivery),
        by="received_at",
    )
)  # fmt: skip
