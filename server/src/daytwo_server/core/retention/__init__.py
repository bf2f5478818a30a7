"""How long each kind of data is kept, what it takes up, and the job that removes what is older.

A room registers its kinds in its module `retention`, which is imported when the room is loaded. See
docs/how-to/retention.md for what operators are promised.
"""

from daytwo_server.core.retention import own as own
from daytwo_server.core.retention.registry import Kind, kind_named, kinds, register
from daytwo_server.core.retention.runs import TOPIC, days_of, keep_newer_than, next_run, run_now

__all__ = ["TOPIC", "Kind", "days_of", "keep_newer_than", "kind_named", "kinds", "next_run", "register", "run_now"]
