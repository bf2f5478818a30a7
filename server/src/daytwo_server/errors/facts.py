from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class IssueOpened:
    """A bug was seen for the first time."""

    issue: int
    project: int
    level: str


@fact
@dataclass(frozen=True)
class IssueRegressed:
    """A resolved bug came back. `release` is the one it came back in, empty when the SDK names none."""

    issue: int
    project: int
    release: str


@fact
@dataclass(frozen=True)
class IssueTriaged:
    """A person changed the state of an issue: `change` is resolved, ignored, unresolved or assigned."""

    issue: int
    change: str


@fact
@dataclass(frozen=True)
class FlaggedErrorsCounted:
    """First errors of users and issues in a batch, by the watched flags that their events carry. `counts` are when the
    last of them came in (unix seconds), project, environment, flag, its value ("on", "off" or a variant), how many.
    """

    counts: tuple[tuple[float, int, str, str, str, int], ...]
