"""What becomes known of a mail after a server or a provider has taken it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from daytwo_server.core import facts, live
from daytwo_server.mail.facts import MailBounced, MailComplained, MailDelivered
from daytwo_server.mail.models import Delivery

TOPIC = "mail.outbound"  # of `core.live`
_BOUNCED = frozenset({"bounced", "rejected", "failed"})
State = Delivery.State


@transaction.atomic
def bounced(delivery: Delivery, reason: str) -> None:
    """It came back. Told once; what waits to be sent again is left alone."""
    sent = Delivery.objects.filter(pk=delivery.pk, state=State.SENT)
    if sent.update(state=State.BOUNCED, problem=reason[:500]):
        facts.record(MailBounced(delivery.pk, delivery.about))
        live.bump(TOPIC)


@transaction.atomic
def told(provider_id: str, recipient: str, event: str, *, at: dt.datetime, words: str) -> bool:
    """Note what a provider says of a mail, in django-anymail's names of events. False when it is no mail of ours.

    `recipient` is empty where the provider does not say who it is about. Events that say nothing new are passed over.
    """
    named = Delivery.objects.filter(provider_id=provider_id[:255]).exclude(provider_id="")
    delivery = named.filter(to__iexact=recipient).first() if recipient else named.first()
    if delivery is None:
        return False
    if event in _BOUNCED:
        bounced(delivery, words)
    elif event == "delivered":
        _note(delivery, MailDelivered(delivery.pk, delivery.about), delivered_at=at)
    elif event == "complained":
        _note(delivery, MailComplained(delivery.pk, delivery.about), complained_at=at)
    return True


def _note(delivery: Delivery, told: object, **when: dt.datetime) -> None:
    """Once: providers tell things twice."""
    if Delivery.objects.filter(pk=delivery.pk, **dict.fromkeys(when)).update(**when):
        facts.record(told)
        live.bump(TOPIC)


def under_way(recipient: str) -> bool:
    """Whether a mail to them is with a provider just now, so that its name for it is not known yet."""
    sending = Delivery.objects.filter(state=State.SENDING)
    return (sending.filter(to__iexact=recipient) if recipient else sending).exists()
