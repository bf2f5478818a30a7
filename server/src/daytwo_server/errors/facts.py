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
