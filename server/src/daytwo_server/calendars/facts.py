from dataclasses import dataclass

from daytwo_server.core.facts import fact


@fact
@dataclass(frozen=True)
class CalendarChanged:
    """Working hours, the time zone or holidays are others than before: what was computed by them is to be anew."""

    calendar: int
