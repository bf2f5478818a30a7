"""What passes between this room and the one that receives mail: plain values, no rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What sort of mail it is. Only the first was written by somebody who waits for an answer."""

    HUMAN = "human"
    AUTOMATIC = "automatic"  # an out-of-office note, a list, a newsletter: no state changes, no acknowledgement
    BOUNCE = "bounce"  # never given to the receiver
    OWN = "own"  # never given to the receiver


class Result(StrEnum):
    """What became of a mail."""

    CREATED = "created"
    APPENDED = "appended"
    DUPLICATE = "duplicate"
    HELD = "held"  # waits for a person: an unverified sender, too many at once
    BOUNCED = "bounced"
    AUTOMATIC = "automatic"
    OWN = "own"
    QUARANTINED = "quarantined"  # it could not be read; it is kept and can be tried again


@dataclass(frozen=True)
class Outcome:
    """The answer of a receiver. `thread` and `message` are refs such as "ticket:12" and "ticket_message:34" or empty;
    `reason` is for people.
    """

    result: str
    thread: str = ""
    message: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Envelope:
    """Around the mail: who handed it over. `recipients` may be empty where the route does not tell.

    `route` is "smtp", "imap", "pipe" or the name of a provider, `remote` an address of the peer or empty.
    """

    sender: str = ""
    recipients: tuple[str, ...] = ()
    route: str = ""
    remote: str = ""


@dataclass(frozen=True)
class Address:
    """Somebody's name, which may be empty, and their address in lower case."""

    name: str
    address: str


@dataclass(frozen=True)
class File:
    """An attachment as its sender named it, without paths and control characters; never to be trusted as to type.

    `content_id` is set for those that the HTML shows in its text: there `cid:...` stands for them.
    """

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


@dataclass(frozen=True)
class Hit:
    """Something in a letter that leads to a thread. `by` says what, in the order in which it is to be believed:

    - "token": the signed address that we gave for answers (thread, party, agent, private)
    - "own_id": one of our own signed message ids (thread, message)
    - "stored_id": the id of a mail that came or went before; `ref` is the `thread` that the receiver gave that mail,
      or the `about` of the delivery
    - "marker": the signed mark that stood in our mail and was quoted (as "token")
    - "subject": `[#number]`, which anybody can write: `thread` is that number

    No hit is a sign-in: who sent the letter must still be somebody who takes part in the thread.
    """

    by: str
    thread: int = 0
    party: int = 0
    agent: bool = False
    private: bool = False
    message: int = 0
    ref: str = ""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail, read. Texts have no control characters but line breaks and tabs, and lines end with a newline.

    `text` is all of it, `stripped_text` what is left when quotes of earlier mails are folded, the same when that is
    in doubt. `html` is clean: no script, no style, nothing is loaded from elsewhere, `cid:` addresses lead to
    `files`. `authentic` is None when nobody whom we believe has checked the sender. `from_desk` says that a Daytwo
    elsewhere sent it. `notices` tell an agent what was left out.
    """

    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    sender: Address
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    date: dt.datetime | None = None
    text: str = ""
    stripped_text: str = ""
    html: str = ""
    attachments: tuple[File, ...] = ()
    kind: Kind = Kind.HUMAN
    authentic: bool | None = None
    from_desk: bool = False
    hits: tuple[Hit, ...] = ()
    notices: tuple[str, ...] = field(default=())
