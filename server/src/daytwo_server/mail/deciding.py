"""What becomes of a mail that was read: a bounce, a copy, too many of one sender, or something for the receiver."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Sequence

from daytwo_server import mail as room
from daytwo_server.core import clock, preferences, sql
from daytwo_server.core.stores import DEFAULT
from daytwo_server.mail import threads
from daytwo_server.mail.hits import hits_in
from daytwo_server.mail.letter import Kind, Letter, Outcome, Result
from daytwo_server.mail.models import STORED_ID, Delivery, InboundMail
from daytwo_server.mail.reading import Reading
from daytwo_server.mail.sending import afterwards

SAME_BODY_LIMIT, SENDER_WINDOW = 2, dt.timedelta(hours=1)


class NobodyReceives(Exception):
    """No room of this version takes mail."""


def describe(mail: InboundMail, letter: Letter) -> None:
    """Note on the row what people and later mails know it by."""
    mail.sender, mail.subject = letter.sender.address, letter.subject[:200]
    mail.message_id = letter.message_id[:STORED_ID]
    mail.body_hash = _digest(letter.stripped_text.split(), [file.data for file in letter.attachments])[:32]


def decide(mail: InboundMail, reading: Reading) -> Outcome:
    """In the caller's transaction, which is to save `mail` with its `key` and what this returns.

    That save raises IntegrityError when a copy was quicker; then this, asked again, finds it.
    """
    letter = reading.letter
    if letter.kind == Kind.OWN:
        return Outcome(Result.OWN, reason="We sent it ourselves.")
    key = _key(letter)
    twin = sql.fetch(
        DEFAULT, "SELECT thread, message FROM mail_inboundmail WHERE key = %s AND id <> %s", [key, mail.pk]
    )
    if twin:
        [(thread, message)] = twin
        return Outcome(Result.DUPLICATE, thread, message, "It came before.")
    mail.key = key
    if reading.bounce:
        if outcome := _bounced(reading):
            return outcome
        letter = dataclasses.replace(letter, kind=Kind.AUTOMATIC)
    letter = dataclasses.replace(letter, hits=hits_in(reading))
    limit = preferences.current().mail_per_sender
    before, same = _recent(mail, limit)
    # An agent who answers by mail may write as often as they can, and the same to many; what a person has looked at is
    # no flood.
    looked_at = mail.replayed or any(hit.agent for hit in letter.hits)
    if before >= limit and not looked_at:
        return Outcome(Result.HELD, reason=f"More than {limit} mails came from this sender within an hour.")
    if letter.kind == Kind.HUMAN and same >= SAME_BODY_LIMIT and not looked_at:
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
    afterwards.bounced(delivery, bounce.reason)
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
    # `state ||` keeps both databases from going through all mail of the last hour by the index of states.
    of_sender = "SELECT 1 FROM mail_inboundmail WHERE sender = %s AND received_at > %s AND state || '' = 'done'"
    statement = (
        f"SELECT (SELECT count(*) FROM ({of_sender} AND result <> 'held' LIMIT %s) AS taken), "
        f"(SELECT count(*) FROM ({of_sender} AND body_hash = %s LIMIT %s) AS alike)"
    )
    sender = [mail.sender, clock.now() - SENDER_WINDOW]
    [(before, same)] = sql.fetch(DEFAULT, statement, [*sender, limit, *sender, mail.body_hash, SAME_BODY_LIMIT])
    return before, same
