"""Flags as Unleash's clients know them: they evaluate for themselves, from definitions in its words."""

from daytwo_server.flags.app.unleash.features import features
from daytwo_server.flags.app.unleash.metrics import counts

__all__ = ["counts", "features"]
