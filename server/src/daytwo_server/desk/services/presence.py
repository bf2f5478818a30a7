"""Who has the page of an object open. Pages say so themselves every few seconds while somebody can see them."""

import datetime as dt

from django.db import transaction

from daytwo_server.accounts.models import User
from daytwo_server.core import clock, live
from daytwo_server.core.ref import Ref
from daytwo_server.desk.models import Presence

HERE = dt.timedelta(seconds=50)  # pages say so every twenty seconds: one that is late twice is gone
TYPING = dt.timedelta(seconds=20)
KEPT = dt.timedelta(hours=1)


def presence_topic(ref: Ref) -> str:
    """What live pages listen to for who is there: it changes when somebody comes, goes or begins to write."""
    return f"desk.presence.{ref.kind}.{ref.id}"


@transaction.atomic
def present(user: User, ref: Ref, *, typing: bool = False) -> None:
    """This person looks at the object, or writes there. Others are told only of what is new to them."""
    now = clock.now()
    known = Presence.objects.filter(user=user, kind=ref.kind, object_id=ref.id).first()
    came = known is None or now - known.seen_at > HERE
    began = typing and (known is None or known.typing_at is None or now - known.typing_at > TYPING)
    values = {"seen_at": now} | ({"typing_at": now} if typing else {"typing_at": None} if came else {})
    Presence.objects.update_or_create(user=user, kind=ref.kind, object_id=ref.id, defaults=values)
    if came:
        Presence.objects.filter(seen_at__lt=now - KEPT).delete()
    if came or began:
        live.bump(presence_topic(ref))


@transaction.atomic
def absent(user: User, ref: Ref) -> None:
    """This person left the page. Another one of theirs says again that they are there."""
    if Presence.objects.filter(user=user, kind=ref.kind, object_id=ref.id).delete()[0]:
        live.bump(presence_topic(ref))
