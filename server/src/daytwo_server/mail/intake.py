"""Mail that arrives, by whichever route: stored first, then read, then given to the room that receives it.

Nothing that can fail comes before it is stored. What fails after that leaves the mail in quarantine, from where
`services.replay` tries again. Mails that wait are read several at a time, and concluded in one transaction with a
savepoint for each: what fails takes nothing along, and the disk is waited for once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Sequence

import zstandard
from django.db import IntegrityError, OperationalError, connections, transaction
from django.db.models import F

from daytwo_server.core import blobs, live, sql
from daytwo_server.core.masking import error_line
from daytwo_server.core.prepared import Prepared
from daytwo_server.core.stores import DEFAULT
from daytwo_server.core.trouble import is_trouble
from daytwo_server.mail.deciding import decide, describe
from daytwo_server.mail.letter import Envelope, Outcome, Result
from daytwo_server.mail.models import InboundMail
from daytwo_server.mail.reading import Reading, read

log = logging.getLogger(__name__)

TOPIC = "mail.inbound"  # of `core.live`
# Mails of 25 MB are taken; what a mail server adds to them on the way should not make the difference.
MAX_BYTES = 27 * 1024 * 1024
MAX_ATTEMPTS = 3
# Together in one transaction: it holds SQLite's one writer for some 80 ms, and no more than that in memory.
BATCH, BATCH_BYTES = 20, 2 * 1024 * 1024
# Elsewhere: whoever lists or opens tickets meanwhile waits for some 20 ms, and the disk is waited for a fifth as often.
TOGETHER, PATIENCE_MS = 5, 100
State = InboundMail.State
_WAITING = Prepared[InboundMail](lambda: InboundMail.objects.filter(state=State.RECEIVED).order_by("pk")[:BATCH])
_LOCKED = Prepared[InboundMail](lambda ids: InboundMail.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
_CONCLUDED = (
    "state", "result", "reason", "thread", "message", "sender", "subject", "message_id", "body_hash", "key",
)  # fmt: skip
_CONCLUDE = f"UPDATE mail_inboundmail SET {', '.join(f'{column} = %s' for column in _CONCLUDED)} WHERE id = %s"


def accept(raw: bytes, envelope: Envelope) -> Outcome:
    """Store a mail, read it and give it to the receiver. Once it is stored, this returns and does not raise, unless
    the store is in trouble: then the mail waits for the job. Raises what the store does when it cannot be stored.
    """
    [inbound] = store([(raw, envelope)])
    return process(inbound)


def store(mails: Sequence[tuple[bytes, Envelope]]) -> list[int]:
    """Keep mails as they came, in one transaction; returns their ids. They are read by `process`, or by a job."""
    packer = zstandard.ZstdCompressor()
    packed = [packer.compress(raw[:MAX_BYTES]) for raw, _ in mails]
    with transaction.atomic():
        kept = blobs.put_many(packed, content_type="message/rfc822")
        rows = [_row(raw, envelope) for raw, envelope in mails]
        for row, blob in zip(rows, kept, strict=True):
            row.raw = blob
        return [row.pk for row in InboundMail.objects.bulk_create(rows)]


def _row(raw: bytes, envelope: Envelope) -> InboundMail:
    recipients = "\n".join(envelope.recipients[:100])
    return InboundMail(
        size=len(raw), route=envelope.route[:20], remote=envelope.remote[:100],
        envelope_sender=_kept(envelope.sender).lower()[:320], envelope_recipients=_kept(recipients)[:20_000],
        content_hash=hashlib.sha256(raw).hexdigest(),
    )  # fmt: skip


@transaction.atomic
def keep(raw: bytes, envelope: Envelope, why: str) -> None:
    """Put what cannot be a mail straight into quarantine."""
    [inbound] = store([(raw, envelope)])
    _quarantine(InboundMail.objects.get(pk=inbound), why)
    live.bump(TOPIC)


def process(inbound: int) -> Outcome:
    """Read one stored mail and give it to the receiver; what was done before is told again, not done again."""
    mail = InboundMail.objects.get(pk=inbound)
    return _conclude([(mail, _read(mail))])[0] if mail.state == State.RECEIVED else outcome_of(mail)


def process_waiting(*, for_s: float) -> bool:
    """Read what is stored and was not read, in order, for about so long. False when nothing is left."""
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        waiting = _next_batch()
        if not waiting:
            return False
        raws = _raws(waiting)
        readings = [(mail, _read(mail, raws.get(mail.pk))) for mail in waiting]
        for some in sql.batches(readings, BATCH if _has_one_writer() else TOGETHER):
            _conclude_together(some)
    return True


def _has_one_writer() -> bool:
    return connections[DEFAULT].vendor == "sqlite"


def _conclude_together(readings: Sequence[tuple[InboundMail, Reading | Exception]]) -> None:
    """In one transaction; one by one when somebody else holds a ticket that one of them is about. They may wait for one
    that we hold, and would do so for ever.
    """
    try:
        with transaction.atomic():
            if len(readings) > 1:
                sql.wait_at_most(DEFAULT, PATIENCE_MS)
            _conclude(readings)
    except OperationalError as error:
        if len(readings) == 1 or not sql.is_lock_timeout(error):
            raise
        for one in readings:
            _conclude([one])


def outcome_of(mail: InboundMail) -> Outcome:
    return Outcome(mail.result, mail.thread, mail.message, mail.reason)


def raw_of(mail: InboundMail) -> bytes:
    """The mail as it came, up to `MAX_BYTES`. Raises `core.blobs.BlobGone`."""
    return b"".join(raw_parts(mail))


def raw_parts(mail: InboundMail) -> Iterator[bytes]:
    """The same, a part at a time. Raises `core.blobs.BlobGone`, also between parts."""
    if mail.raw_id is None:
        raise blobs.BlobGone("The mail itself is not kept any more.")
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    return map(unpacker.decompress, blobs.read(mail.raw_id))


def envelope_of(mail: InboundMail) -> Envelope:
    recipients = tuple(filter(None, mail.envelope_recipients.split("\n")))
    return Envelope(mail.envelope_sender, recipients, mail.route, mail.remote)


def _next_batch() -> list[InboundMail]:
    """Mails that nobody is done with. An attempt is counted before: a mail that kills its reader is tried alone, three
    times, and then given up.
    """
    waiting = _WAITING()
    if waiting and waiting[0].attempts >= MAX_ATTEMPTS:
        with transaction.atomic():
            _quarantine(waiting[0], f"The process ended while it was read, {MAX_ATTEMPTS} times.")
            live.bump(TOPIC)
        return _next_batch()
    fresh = [mail for mail in waiting if not mail.attempts]
    batch = _small(fresh) if waiting and not waiting[0].attempts else waiting[:1]
    if batch:
        InboundMail.objects.filter(pk__in=[mail.pk for mail in batch]).update(attempts=F("attempts") + 1)
    return batch


def _small(mails: Sequence[InboundMail]) -> list[InboundMail]:
    """The first ones that fit together into `BATCH_BYTES`, or the first alone."""
    found, total = list(mails[:1]), mails[0].size
    for mail in mails[1:]:
        total += mail.size
        if total > BATCH_BYTES:
            break
        found.append(mail)
    return found


def _raws(mails: Sequence[InboundMail]) -> dict[int, bytes]:
    """What `raw_of` says of each that is still kept, for mails that are small together; of a large one, nothing."""
    if len(mails) == 1:
        return {}
    packed = blobs.read_many(mail.raw_id for mail in mails if mail.raw_id)
    unpacker = zstandard.ZstdDecompressor()
    return {
        mail.pk: unpacker.decompress(packed[mail.raw_id]) for mail in mails if mail.raw_id and mail.raw_id in packed
    }


def _read(mail: InboundMail, raw: bytes | None = None) -> Reading | Exception:
    """Outside of any transaction: a large mail takes seconds. Also the fault is a result. Raises what a store does
    that is in trouble.
    """
    try:
        reading = read(raw_of(mail) if raw is None else raw, envelope_of(mail))
    except Exception as error:
        if is_trouble(error):
            raise
        return error
    if mail.size <= MAX_BYTES:
        return reading
    notice = f"The mail has {mail.size / 1e6:.0f} MB; what comes after the first {MAX_BYTES / 1e6:.0f} MB was left out."
    letter = dataclasses.replace(reading.letter, notices=(notice, *reading.letter.notices))
    return dataclasses.replace(reading, letter=letter)


@transaction.atomic
def _conclude(readings: Sequence[tuple[InboundMail, Reading | Exception]]) -> list[Outcome]:
    """What becomes of each mail, with all that follows from it. One that was removed meanwhile has no outcome."""
    mails = {mail.pk: mail for mail in _locked(mail.pk for mail, _ in readings)}
    outcomes = [_conclude_one(mails[mail.pk], reading) for mail, reading in readings if mail.pk in mails]
    live.bump(TOPIC)
    return outcomes


def _locked(ids: Iterable[int]) -> Iterable[InboundMail]:
    return _LOCKED(list(ids))


def _conclude_one(mail: InboundMail, reading: Reading | Exception) -> Outcome:
    if mail.state != State.RECEIVED:
        return outcome_of(mail)
    try:
        if isinstance(reading, Exception):
            raise reading  # noqa: TRY301 - told like every other
        describe(mail, reading.letter)
        try:
            return _taken(mail, reading)
        except IntegrityError:  # its twin was concluded in the same moment, so now it is found
            return _taken(mail, reading)
    except Exception as error:
        if is_trouble(error):
            raise
        log.exception("The mail %d could not be read; it is in quarantine.", mail.pk)
        return _quarantine(mail, error_line(error))


@transaction.atomic
def _taken(mail: InboundMail, reading: Reading) -> Outcome:
    """In a savepoint: what it comes to is undone alone."""
    mail.key = None
    outcome = decide(mail, reading)
    _note(mail, outcome, State.DONE)
    return outcome


def _quarantine(mail: InboundMail, why: str) -> Outcome:
    mail.key = None
    outcome = Outcome(Result.QUARANTINED, reason=why)
    _note(mail, outcome, State.QUARANTINED)
    return outcome


def _note(mail: InboundMail, outcome: Outcome, state: str) -> None:
    mail.state, mail.result, mail.reason = str(state), str(outcome.result), outcome.reason
    mail.thread, mail.message = outcome.thread, outcome.message
    values = [getattr(mail, column) for column in _CONCLUDED]
    sql.execute_many(DEFAULT, _CONCLUDE, [[*values, mail.pk]])


def _kept(words: str) -> str:
    return "".join(char for char in words if char.isprintable() or char == "\n")
