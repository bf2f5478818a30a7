"""Which events are the same bug.

`group(event)` answers with a few hashes and with the reasons, for people. The event must be normalised and scrubbed
before (a secret in a message must not make two events differ) and its frames mapped to source where maps exist.
"""

from daytwo_server.errors.grouping.result import ALGORITHM, GroupHash, Grouping
from daytwo_server.errors.grouping.rules import group

__all__ = ["ALGORITHM", "GroupHash", "Grouping", "group"]
