"""What happened to mail that went out. `about` is the ref that it was queued with."""

from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class MailSent:
    """The mail server, or provider, has taken it."""

    delivery: int
    about: str


@fact
@dataclass(frozen=True)
class MailFailed:
    """It was refused for good, or was put off for two days."""

    delivery: int
    about: str


@fact
@dataclass(frozen=True)
class MailDelivered:
    """The provider says that it is in the recipient's mailbox."""

    delivery: int
    about: str


@fact
@dataclass(frozen=True)
class MailComplained:
    """The recipient called it spam."""

    delivery: int
    about: str


@fact
@dataclass(frozen=True)
class MailBounced:
    """It was taken first, and came back later."""

    delivery: int
    about: str
