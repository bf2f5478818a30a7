from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class GuardTripped:
    """Errors gathered where a flag is on. `did` is held, stepped_back, killed or nothing; of the `errors` that were
    tested `errors_on` had it on, although only `share` (0 to 1) of exposures had. `revision` is what was tested.
    """

    flag: int
    environment: int
    revision: int
    did: str
    errors_on: int
    errors: int
    share: float
