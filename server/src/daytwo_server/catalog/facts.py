from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class FirstEventSeen:
    """A project that had never reported did."""

    project: int


@fact
@dataclass(frozen=True)
class ReleaseSeen:
    """A version of an app reported for the first time."""

    project: int
    release: int


@fact
@dataclass(frozen=True)
class DeployRecorded:
    """A pipeline told of a deploy for the first time: it runs, or is over already."""

    deploy: int
    project: int
    environment: int
    release: int
