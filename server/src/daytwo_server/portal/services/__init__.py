"""Every write of the pages of customers."""

from daytwo_server.portal.services.asking import RATINGS, ask, due_at
from daytwo_server.portal.services.entering import (
    LinkGone,
    TooOften,
    ask_for_link,
    enter,
    enter_vouched,
    forget_customer,
    leave,
    sweep,
    writer,
)

__all__ = [
    "RATINGS", "LinkGone", "TooOften", "ask", "ask_for_link", "due_at", "enter", "enter_vouched", "forget_customer",
    "leave", "sweep", "writer",
]  # fmt: skip
