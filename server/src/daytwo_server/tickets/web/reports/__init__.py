"""How support does, as a page and as CSV."""

from daytwo_server.tickets.web.reports.page import support, support_csv

__all__ = ["support", "support_csv"]
