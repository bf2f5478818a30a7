"""Take secrets out of an event before it is stored.

SDKs filter some top-level names and leave the rest: local variables, query strings and request bodies arrive in
clear. So this runs by default over everything that was sent.
"""

from daytwo_server.errors.scrub.names import FILTERED
from daytwo_server.errors.scrub.tree import scrub

__all__ = ["FILTERED", "scrub"]
