"""Writing mail, and deciding about what came in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from daytwo_server.core import blobs, clock, conf, jobs
from daytwo_server.mail import intake, threads
from daytwo_server.mail.jobs import SEND_KEY, send
from daytwo_server.mail.letter import Outcome, Result
from daytwo_server.mail.models import Delivery, DeliveryFile, InboundMail

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
    unseen = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENT).exclude(problem="")
    fresh = {"state": Delivery.State.QUEUED, "attempts": 0, "problem": "", "settled_at": None, "due_at": clock.now()}
    if not again.update(**fresh) and not unseen.update(**fresh):
        return False
    jobs.enqueue(send, unique_key=SEND_KEY)
    return True


def replay(inbound: InboundMail) -> Outcome:
    """Read a mail again that is in quarantine or was held for coming too often; one that anything was made of is told
    as it is. Other rooms' held mail has a thread, and is theirs to release.
    """
    again = InboundMail.objects.filter(Q(state=InboundMail.State.QUARANTINED) | Q(result=Result.HELD), thread="")
    again.filter(pk=inbound.pk).update(state=InboundMail.State.RECEIVED, key=None, attempts=0, replayed=True)
    return intake.process(inbound.pk)


@transaction.atomic
def forget(*, addresses: Iterable[str] = (), refs: Iterable[str] = ()) -> int:
    """Remove all mail from and to these addresses, and all that is about, or became, these refs; raw mail included.

    Returns how many mails there were.
    """
    people, things = {address.lower() for address in addresses}, set(refs)
    out = Delivery.objects.filter(Q(to__in=people) | Q(about__in=things))
    came = InboundMail.objects.filter(
        Q(sender__in=people) | Q(envelope_sender__in=people) | Q(thread__in=things) | Q(message__in=things)
    )
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
