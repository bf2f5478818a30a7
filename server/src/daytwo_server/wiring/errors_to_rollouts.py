from daytwo_server.core.facts import reaction
from daytwo_server.errors.facts import FlaggedErrorsCounted
from daytwo_server.rollouts import services


@reaction(FlaggedErrorsCounted)
def count_errors_of_watched_flags(fact: FlaggedErrorsCounted) -> None:
    services.count_errors(fact.counts)
