"""Feature flags, evaluated in the process: `daytwo.flags.enabled("new-checkout", user=user.id, plan="pro")`.

`configure` starts it; until there are definitions, and whenever something is wrong, the code's own default is answered.
docs/reference/flag-snapshot.md has the order of evaluation.
"""

from daytwo.flags.client import Client
from daytwo.flags.evaluation import Evaluation
from daytwo.flags.invalid import Invalid
from daytwo.flags.refreshed import State
from daytwo.flags.ruleset import Ruleset

__all__ = [
    "Client",
    "Evaluation",
    "Invalid",
    "Ruleset",
    "State",
    "close",
    "configure",
    "default",
    "enabled",
    "evaluate",
    "state",
    "value",
    "variant",
    "wait_ready",
]

default = Client()
configure = default.configure
wait_ready = default.wait_ready
state = default.state
enabled = default.enabled
variant = default.variant
value = default.value
evaluate = default.evaluate
close = default.close
