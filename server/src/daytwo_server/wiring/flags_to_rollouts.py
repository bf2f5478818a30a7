from daytwo_server.core.facts import reaction
from daytwo_server.flags.facts import FlagChanged, FlagsExposed
from daytwo_server.rollouts import services


@reaction(FlagChanged)
def watch_a_flag_from_the_beginning_after_each_change(fact: FlagChanged) -> None:
    services.watch(fact.flag)


@reaction(FlagsExposed)
def count_exposures_of_watched_flags(fact: FlagsExposed) -> None:
    services.count_exposures(fact.environment, fact.counts)
