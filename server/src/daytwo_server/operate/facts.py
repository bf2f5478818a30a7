"""What happens to the installation itself."""

from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class BackupTaken:
    """A backup is there. `checked` says how it was tested: "restored", "listed", or "" for not at all."""

    run: int
    bytes: int
    seconds: float
    checked: str


@fact
@dataclass(frozen=True)
class BackupFailed:
    """There is no backup where there should be one, or one that cannot be restored. `run` says why."""

    run: int
    cause: str
