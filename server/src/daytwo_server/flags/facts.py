from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class FlagChanged:
    """A flag is something else now. `environment` is None for all; `by` is user:7, token:3, guard, ramp."""

    flag: int
    environment: int | None
    revision: int
    action: str
    by: str


@fact
@dataclass(frozen=True)
class FlagKilled:
    """A flag was switched off for everybody, whatever else it says; told along with `FlagChanged`."""

    flag: int
    environment: int
    revision: int
    by: str


@fact
@dataclass(frozen=True)
class FlagArchived:
    """A flag is not answered any more; told along with `FlagChanged`."""

    flag: int
    by: str


@fact
@dataclass(frozen=True)
class FlagsExposed:
    """Answers of watched flags that apps gave, or were given, between two moments; `counts` are key, revision, variant,
    whether that is on, and how often.
    """

    environment: int
    since: str
    until: str
    counts: tuple[tuple[str, int, str, bool, int], ...]
