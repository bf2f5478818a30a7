"""What is left to be done when a customer was erased."""

from __future__ import annotations

from django.db import transaction

from daytwo_server.core import audit, clock, jobs, scrubbing
from daytwo_server.core.models import Blob, BlobPart, SearchDocument
from daytwo_server.core.ref import Ref
from daytwo_server.customers import erasing
from daytwo_server.customers.models import Customer
from daytwo_server.mail.models import Delivery, DeliveryFile, InboundMail


def forget_later(customer: int) -> None:
    """Enqueue `forget` in the current transaction."""
    jobs.enqueue(forget, unique_key=f"customers.forget:{customer}", customer=customer)


@jobs.job("customers.forget")
def forget(customer: int) -> None:
    """Every room forgets, then the disk does; only then is the customer forgotten. Any step can be done again."""
    keepers = erasing.keepers()
    for keeper in keepers:
        if keeper.forget is not None:
            keeper.forget(customer)
    theirs = [table for keeper in keepers for table in keeper.tables]
    scrubbing.scrub([Customer, SearchDocument, Blob, BlobPart, InboundMail, Delivery, DeliveryFile, *theirs])
    with transaction.atomic():
        if Customer.objects.filter(pk=customer, forgotten_at=None).update(forgotten_at=clock.now()):
            audit.record("customers:customer:forgotten", actor=None, ref=Ref("customer", customer))
