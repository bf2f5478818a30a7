"""Who changed what: the page, and the whole of it as a file."""

from daytwo_server.operate.web.audit.export import export
from daytwo_server.operate.web.audit.page import audit_log

__all__ = ["audit_log", "export"]
