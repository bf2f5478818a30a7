"""Writing mail, and deciding about what came in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from daytwo_server.core import blobs, clock, conf, jobs, live
from daytwo_server.mail import intake, threads
from daytwo_server.mail.jobs import SEND_KEY, read_soon, send
from daytwo_server.mail.letter import Outcome, Result
from daytwo_server.mail.models import Delivery, DeliveryFile, InboundMail
from daytwo_server.mail.selectors import unconfirmed, undecided
from daytwo_server.mail.sending import afterwards

ABOUT = "inbound_mail"  # the kind of ref of a delivery that tells of a mail which came in
NO_SERVER = "No mail server is set (DAYTWO_MAIL_URL)."
REFERENCES_KEPT = 10  # beside the first: what mail programs need to draw a thread
_ADDRESS = re.compile(r"[^\s@<>(),;:\"\\]+@[^\s@<>(),;:\"\\]+")
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*", re.IGNORECASE)

Attachment = tuple[str, str, int]  # name, content type, id of the blob


class BadAddress(ValueError):
    """No mail can be sent to that."""


@transaction.atomic
def queue(  # noqa: PLR0913 - a mail has that many parts
    *,
    to: str,
    subject: str,
    text: str,
    html: str = "",
    about: str = "",
    message_id: str = "",
    in_reply_to: str = "",
    references: Sequence[str] = (),
    reply_to: str = "",
    from_name: str = "",
    automatic: bool = False,
    attachments: Sequence[Attachment] = (),
) -> Delivery:
    """Have a mail sent to one address, if the caller's transaction commits. Raises `BadAddress`.

    `about` is a ref such as "ticket_message:12", by which facts and `selectors.deliveries_about` name it. Line breaks
    and control characters in what becomes a header are taken out. `references` are oldest first; the first and the last
    ten are kept. `automatic` is for what no person wrote: nobody's answering machine answers it. Attachments are
    blobs that stay the caller's. Without a mail server the delivery has failed at once, with `NO_SERVER`.
    """
    if not _ADDRESS.fullmatch(to) or len(to) > 320 or not to.isprintable():
        raise BadAddress(f"{to[:100]!r} is no address that mail can be sent to.")
    ids = [_header(each) for each in references if each.strip()]
    ids = [*ids[:1], *ids[1:][-REFERENCES_KEPT:]]
    message_id = _header(message_id) or threads.any_message_id()
    delivery = Delivery.objects.create(
        to=to, subject=_header(subject)[:990], text=_body(text), html=_body(html), about=about, message_id=message_id,
        in_reply_to=_header(in_reply_to)[:998], references=" ".join(ids), reply_to=_header(reply_to),
        from_name=_header(from_name)[:200], automatic=automatic,
        lane=_lane(to, ids[0] if ids else in_reply_to or message_id),
        **({} if conf.current().mail_url else _unsendable()),
    )  # fmt: skip
    for name, content_type, blob in attachments:
        kind = content_type if _TYPE.fullmatch(content_type) else "application/octet-stream"
        DeliveryFile.objects.create(delivery=delivery, name=_header(name)[:255], content_type=kind, blob_id=blob)
    if delivery.state == Delivery.State.QUEUED:
        jobs.enqueue(send, unique_key=SEND_KEY)
    return delivery


@transaction.atomic
def resend(delivery: Delivery) -> bool:
    """Send a mail again that failed, bounced or may not have arrived. False when it waits or has arrived."""
    again = Delivery.objects.filter(pk=delivery.pk, state__in=[Delivery.State.FAILED, Delivery.State.BOUNCED])
    unseen = Delivery.objects.filter(unconfirmed(), pk=delivery.pk)
    fresh = {
        "state": Delivery.State.QUEUED, "attempts": 0, "problem": "", "settled_at": None, "due_at": clock.now(),
        "provider_id": "", "delivered_at": None,
    }  # fmt: skip
    if not again.update(**fresh) and not unseen.update(**fresh):
        return False
    jobs.enqueue(send, unique_key=SEND_KEY)
    live.bump(afterwards.TOPIC)
    return True


def replay(inbound: InboundMail) -> Outcome:
    """Read a mail again now, if it is `undecided`; one that anything was made of is told as it is."""
    _again(InboundMail.objects.filter(pk=inbound.pk))
    return intake.process(inbound.pk)


@transaction.atomic
def replay_all(mails: QuerySet[InboundMail]) -> int:
    """Have those of these mails that are `undecided` read again, by a job; returns how many they are."""
    count = _again(mails)
    if count:
        read_soon()
        live.bump(intake.TOPIC)
    return count


def _again(mails: QuerySet[InboundMail]) -> int:
    fresh = {"state": InboundMail.State.RECEIVED, "key": None, "attempts": 0, "replayed": True}
    return mails.filter(undecided()).update(**fresh)


@transaction.atomic
def discard(mails: QuerySet[InboundMail]) -> list[int]:
    """Let nothing come of those of these mails that are `undecided`; returns their ids, for `restore`."""
    ids = list(mails.filter(undecided()).values_list("pk", flat=True))
    InboundMail.objects.filter(pk__in=ids).update(state=InboundMail.State.DISCARDED)
    live.bump(intake.TOPIC)
    return ids


@transaction.atomic
def restore(ids: Iterable[int]) -> int:
    """Take `discard` back; returns how many mails it still applied to."""
    gone = InboundMail.objects.filter(pk__in=list(ids), state=InboundMail.State.DISCARDED)
    held = gone.filter(result=Result.HELD).update(state=InboundMail.State.DONE)
    live.bump(intake.TOPIC)
    return held + gone.update(state=InboundMail.State.QUARANTINED)


def release(inbound: InboundMail) -> None:
    """Have a mail that another room holds given to it once more, in the current transaction; `intake.process` does it
    at once, and else a job.
    """
    theirs = InboundMail.objects.filter(pk=inbound.pk, result=Result.HELD).exclude(thread="")
    theirs.update(state=InboundMail.State.RECEIVED, key=None, attempts=0, replayed=True)


@transaction.atomic
def forget(*, addresses: Iterable[str] = (), refs: Iterable[str] = ()) -> int:
    """Remove all mail from and to these addresses, and all that is about, or became, these refs; raw mail included,
    and what was mailed about the mails that came in.

    Returns how many mails there were.
    """
    people, things = {address.lower() for address in addresses}, set(refs)
    came = InboundMail.objects.filter(
        Q(sender__in=people) | Q(envelope_sender__in=people) | Q(thread__in=things) | Q(message__in=things)
    )
    things |= {f"{ABOUT}:{one}" for one in came.values_list("pk", flat=True)}
    out = Delivery.objects.filter(Q(to__in=people) | Q(about__in=things))
    blobs.discard(filter(None, came.values_list("raw", flat=True)))
    return came.delete()[1].get("mail.InboundMail", 0) + out.delete()[1].get("mail.Delivery", 0)


def _lane(to: str, root: str) -> str:
    return hashlib.sha256(f"{to.lower()} {root}".encode()).hexdigest()[:32]


def _unsendable() -> dict[str, Any]:
    return {"state": Delivery.State.FAILED, "problem": NO_SERVER, "settled_at": clock.now()}


def _header(words: str) -> str:
    """One line without control characters: what a person typed can begin no header of its own."""
    spaced = " ".join(words.split())
    return "".join(char for char in spaced if char.isprintable()).strip()


def _body(text: str) -> str:
    return text.replace("\x00", "")
