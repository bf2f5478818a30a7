"""Mail that arrives, by whichever route: stored first, then read, then given to the room that receives it.

Nothing that can fail comes before it is stored. What fails after that leaves the mail in quarantine, from where
`services.replay` tries again.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import logging
import time
from collections.abc import Sequence

import zstandard
from django.db import IntegrityError, transaction
from django.db.models import F

from daytwo_server import mail as room
from daytwo_server.core import blobs, clock, facts, live, preferences, sql
from daytwo_server.core.masking import error_line
from daytwo_server.core.stores import DEFAULT
from daytwo_server.core.trouble import is_trouble
from daytwo_server.mail import threads
from daytwo_server.mail.facts import MailBounced
from daytwo_server.mail.hits import hits_in
from daytwo_server.mail.letter import Envelope, Kind, Letter, Outcome, Result
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.mail.reading import Reading, read

log = logging.getLogger(__name__)

TOPIC = "mail.inbound"  # of `core.live`
# Mails of 25 MB are taken; what a mail server adds to them on the way should not make the difference.
MAX_BYTES = 27 * 1024 * 1024
MAX_ATTEMPTS = 3
BATCH = 50
SAME_BODY_LIMIT, SENDER_WINDOW = 2, dt.timedelta(hours=1)
State = InboundMail.State


class NobodyReceives(Exception):
    """No room of this version takes mail."""


def accept(raw: bytes, envelope: Envelope) -> Outcome:
    """Store a mail, read it and give it to the receiver. Once it is stored, this returns and does not raise, unless
    the store is in trouble: then the mail waits for the job. Raises what the store does when it cannot be stored.
    """
    [inbound] = store([(raw, envelope)])
    return process(inbound)


def store(mails: Sequence[tuple[bytes, Envelope]]) -> list[int]:
    """Keep mails as they came, in one transaction; returns their ids. They are read by `process`, or by a job."""
    packer = zstandard.ZstdCompressor()
    with transaction.atomic():
        return [_store(raw, envelope, packer) for raw, envelope in mails]


def _store(raw: bytes, envelope: Envelope, packer: zstandard.ZstdCompressor) -> int:
    blob = blobs.put(packer.compress(raw[:MAX_BYTES]), content_type="message/rfc822")
    recipients = "\n".join(envelope.recipients[:100])
    return InboundMail.objects.create(
        raw=blob, size=len(raw), route=envelope.route[:20], remote=envelope.remote[:100],
        envelope_sender=_kept(envelope.sender)[:320], envelope_recipients=_kept(recipients)[:20_000],
        content_hash=hashlib.sha256(raw).hexdigest(),
    ).pk  # fmt: skip


def process(inbound: int) -> Outcome:
    """Read one stored mail and give it to the receiver; what was done before is told again, not done again."""
    mail = InboundMail.objects.get(pk=inbound)
    if mail.state != State.RECEIVED:
        return outcome_of(mail)
    try:
        reading = _read(mail)
        _describe(mail, reading.letter)
        try:
            return _conclude(mail.pk, reading)
        except IntegrityError:  # its twin was concluded in the same moment, so now it is found
            return _conclude(mail.pk, reading)
    except Exception as error:
        if is_trouble(error):
            raise
        log.exception("The mail %d could not be read; it is in quarantine.", mail.pk)
        return _quarantine(mail, error_line(error))


def process_waiting(*, for_s: float) -> bool:
    """Read what is stored and was not read, in order, for about so long. False when nothing is left."""
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        waiting = _next_batch()
        if not waiting:
            return False
        for inbound in waiting:
            process(inbound)
    return True


def outcome_of(mail: InboundMail) -> Outcome:
    return Outcome(mail.result, mail.thread, mail.message, mail.reason)


def raw_of(mail: InboundMail) -> bytes:
    """The mail as it came, up to `MAX_BYTES`. Raises `core.blobs.BlobGone`."""
    if mail.raw_id is None:
        raise blobs.BlobGone("The mail itself is not kept any more.")
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    return b"".join(map(unpacker.decompress, blobs.read(mail.raw_id)))


def envelope_of(mail: InboundMail) -> Envelope:
    recipients = tuple(filter(None, mail.envelope_recipients.split("\n")))
    return Envelope(mail.envelope_sender, recipients, mail.route, mail.remote)


def _next_batch() -> list[int]:
    """Mails that nobody is done with. An attempt is counted before: a mail that kills its reader is tried alone, three
    times, and then given up.
    """
    waiting = list(
        InboundMail.objects.filter(state=State.RECEIVED).order_by("pk").values_list("pk", "attempts")[:BATCH]
    )
    if waiting and waiting[0][1] >= MAX_ATTEMPTS:
        mail = InboundMail.objects.get(pk=waiting[0][0])
        _quarantine(mail, f"The process ended while it was read, {MAX_ATTEMPTS} times.")
        return _next_batch()
    fresh = [pk for pk, attempts in waiting if not attempts]
    batch = fresh if waiting and not waiting[0][1] else [pk for pk, _ in waiting[:1]]
    if batch:
        InboundMail.objects.filter(pk__in=batch).update(attempts=F("attempts") + 1)
    return batch


def _read(mail: InboundMail) -> Reading:
    """Outside of any transaction: a large mail takes seconds."""
    reading = read(raw_of(mail), envelope_of(mail))
    if mail.size <= MAX_BYTES:
        return reading
    notice = f"The mail has {mail.size / 1e6:.0f} MB; what comes after the first {MAX_BYTES / 1e6:.0f} MB was left out."
    letter = dataclasses.replace(reading.letter, notices=(notice, *reading.letter.notices))
    return dataclasses.replace(reading, letter=letter)


@transaction.atomic
def _conclude(inbound: int, reading: Reading) -> Outcome:
    """What becomes of the mail, with all that follows from it, in one transaction."""
    mail = InboundMail.objects.select_for_update().get(pk=inbound)
    if mail.state != State.RECEIVED:
        return outcome_of(mail)
    _describe(mail, reading.letter)
    outcome = _decide(mail, reading)
    _note(mail, outcome, State.DONE)
    return outcome


def _describe(mail: InboundMail, letter: Letter) -> None:
    mail.sender, mail.subject, mail.message_id = letter.sender.address, letter.subject[:200], letter.message_id[:255]
    mail.body_hash = _digest(letter.stripped_text.split(), [file.data for file in letter.attachments])[:32]


def _decide(mail: InboundMail, reading: Reading) -> Outcome:
    letter = reading.letter
    if letter.kind == Kind.OWN:
        return Outcome(Result.OWN, reason="We sent it ourselves.")
    key = _key(letter)
    if twin := InboundMail.objects.filter(key=key).exclude(pk=mail.pk).first():
        return Outcome(Result.DUPLICATE, twin.thread, twin.message, "It came before.")
    mail.key = key  # saved with the outcome; when its twin is quicker, that fails and this is decided again
    if letter.kind == Kind.BOUNCE and reading.bounce:
        if outcome := _bounced(reading):
            return outcome
        letter = dataclasses.replace(letter, kind=Kind.AUTOMATIC)
    letter = dataclasses.replace(letter, hits=hits_in(reading))
    limit = preferences.current().mail_per_sender
    before, same = _recent(mail, limit)
    # An agent who answers by mail may write as often as they can, and what a person has looked at is no flood.
    if before >= limit and not mail.replayed and not any(hit.agent for hit in letter.hits):
        return Outcome(Result.HELD, reason=f"More than {limit} mails came from this sender within an hour.")
    if letter.kind == Kind.HUMAN and same >= SAME_BODY_LIMIT:
        letter = dataclasses.replace(letter, kind=Kind.AUTOMATIC)  # whatever its headers say, nobody writes so
    return _received(letter, mail)


def _received(letter: Letter, mail: InboundMail) -> Outcome:
    receiver = room.receiver()
    if receiver is None:
        raise NobodyReceives("No room of this version takes mail.")
    return receiver(letter, mail)


def _key(letter: Letter) -> str:
    """What is the same for two copies of a mail, and for no other."""
    if letter.message_id:
        return f"id:{_digest([letter.message_id], [])}"
    words = [letter.sender.address, str(letter.date), letter.subject, letter.text]
    return f"content:{_digest(words, [file.data for file in letter.attachments])}"


def _digest(words: Sequence[str], data: Sequence[bytes]) -> str:
    digest = hashlib.sha256("\x00".join(words).encode("utf-8", "replace"))
    for each in data:
        digest.update(hashlib.sha256(each).digest())
    return digest.hexdigest()


def _bounced(reading: Reading) -> Outcome | None:
    """Note at the delivery that it came back; None for what is no bounce after all, or comes from a person."""
    bounce, kind = reading.bounce, Result.BOUNCED
    assert bounce is not None
    delivery = _returned(reading)
    if delivery is None:
        genuine = bool(bounce.recipients or bounce.message_ids)
        return Outcome(kind, reason="It names no mail of ours.") if genuine else None
    if not bounce.failed:
        return Outcome(Result.AUTOMATIC, reason="It says that a mail of ours is late.")
    sent = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENT)
    if sent.update(state=Delivery.State.BOUNCED, problem=bounce.reason):
        facts.record(MailBounced(delivery.pk, delivery.about))
    return Outcome(kind, reason=bounce.reason)


def _returned(reading: Reading) -> Delivery | None:
    """The delivery that came back: by the address it came back to, else by the id of the mail."""
    bounce = reading.bounce
    named = [pk for each in reading.recipients if (pk := threads.read_bounce(each))]
    if named:
        return Delivery.objects.filter(pk=named[0]).first()
    if bounce is None or not bounce.message_ids:
        return None
    found = Delivery.objects.filter(message_id__in=bounce.message_ids).order_by("-pk")
    return found.filter(to__in=bounce.recipients).first() or (found[0] if found.count() == 1 else None)


def _recent(mail: InboundMail, limit: int) -> tuple[int, int]:
    """How many mails of the sender were taken within the last hour, at most `limit`, and how many, at most
    `SAME_BODY_LIMIT`, said the same.
    """
    of_sender = "SELECT 1 FROM mail_inboundmail WHERE sender = %s AND received_at > %s AND state = 'done'"
    statement = (
        f"SELECT (SELECT count(*) FROM ({of_sender} AND result <> 'held' LIMIT %s) AS taken), "
        f"(SELECT count(*) FROM ({of_sender} AND body_hash = %s LIMIT %s) AS alike)"
    )
    sender = [mail.sender, clock.now() - SENDER_WINDOW]
    [(before, same)] = sql.fetch(DEFAULT, statement, [*sender, limit, *sender, mail.body_hash, SAME_BODY_LIMIT])
    return before, same


def _quarantine(mail: InboundMail, why: str) -> Outcome:
    mail.key = None
    with transaction.atomic():
        outcome = Outcome(Result.QUARANTINED, reason=why)
        _note(mail, outcome, State.QUARANTINED)
    return outcome


def _note(mail: InboundMail, outcome: Outcome, state: str) -> None:
    mail.state, mail.result, mail.reason = state, outcome.result, outcome.reason
    mail.thread, mail.message = outcome.thread, outcome.message
    described = ["sender", "subject", "message_id", "body_hash", "key"]
    mail.save(update_fields=["state", "result", "reason", "thread", "message", *described])
    live.bump(TOPIC)


def _kept(words: str) -> str:
    return "".join(char for char in words if char.isprintable() or char == "\n")
