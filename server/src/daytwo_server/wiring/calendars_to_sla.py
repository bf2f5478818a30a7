from daytwo_server.calendars.facts import CalendarChanged
from daytwo_server.core.facts import reaction
from daytwo_server.sla import jobs


@reaction(CalendarChanged)
def count_promises_anew_by_other_working_hours(_fact: CalendarChanged) -> None:
    jobs.recompute_open_later()
