"""What pages read about the installation itself, and the lists of what it noted."""

from daytwo_server.operate.selectors.audit import AUDIT, Searched
from daytwo_server.operate.selectors.facts import FACTS, facts
from daytwo_server.operate.selectors.jobs import JOBS, dead_letters, jobs
from daytwo_server.operate.selectors.mail import RECEIVED, RECEIVED_TABS, SENT, SENT_TABS, received, sent
from daytwo_server.operate.selectors.stores import Growth, growth, used_bytes

__all__ = [
    "AUDIT", "FACTS", "JOBS", "RECEIVED", "RECEIVED_TABS", "SENT", "SENT_TABS", "Growth", "Searched", "dead_letters",
    "facts", "growth", "jobs", "received", "sent", "used_bytes",
]  # fmt: skip
