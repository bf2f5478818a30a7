"""From raw bytes to a `Letter`, whatever the bytes are. Nothing here asks the store."""

from daytwo_server.mail.reading.letters import Reading, read

__all__ = ["Reading", "read"]
