from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class TicketOpened:
    """A customer asks for help. `message` holds their words; `follow_up_of` is the closed ticket they answered."""

    ticket: int
    message: int
    customer: int
    channel: str
    follow_up_of: int | None = None


@fact
@dataclass(frozen=True)
class TicketReplied:
    """Something public was said after the beginning; `by` is agent or customer."""

    ticket: int
    message: int
    by: str


@fact
@dataclass(frozen=True)
class TicketNoted:
    """An internal note was written."""

    ticket: int
    message: int


@fact
@dataclass(frozen=True)
class TicketStatusChanged:
    """From one status to another, whatever led to it."""

    ticket: int
    before: str
    after: str


@fact
@dataclass(frozen=True)
class TicketAssigned:
    """It was given to a person, or to nobody; `by` is who did it, None for a program without a person behind it."""

    ticket: int
    assignee: int | None
    by: int | None


@fact
@dataclass(frozen=True)
class TicketPriorityChanged:
    """It is more or less urgent than before."""

    ticket: int
    before: str
    after: str


@fact
@dataclass(frozen=True)
class TicketMerged:
    """A ticket was closed because another one is about the same."""

    ticket: int
    into: int


@fact
@dataclass(frozen=True)
class TicketRated:
    """The customer said how it went: `rating` is 1 to 5. Told again when they change their mind."""

    ticket: int
    rating: int
