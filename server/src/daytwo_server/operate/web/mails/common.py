"""What the pages of mail share."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from daytwo_server.accounts.permissions import action, can
from daytwo_server.mail import intake, selectors
from daytwo_server.mail.models import Delivery, InboundMail
from daytwo_server.mail.sending import afterwards
from daytwo_server.ui import formats
from daytwo_server.ui.listing import address

LATE = dt.timedelta(minutes=5)
TOPICS = (intake.TOPIC, afterwards.TOPIC)
_LABELS = {
    "received": {"undecided": "To decide", "waiting": "To be read", "all": "Received", "discarded": "Discarded"},
    "sent": {"waiting": "To be sent", "problems": "Not arrived", "all": "Sent"},
}
_ROUTES = {"received": "operate:mail", "sent": "operate:mail-sent"}
# result or fate: (word, tone)
RESULTS: dict[str, tuple[str, str]] = {
    "created": ("New ticket", "ok"), "appended": ("Answer", "ok"), "duplicate": ("Duplicate", ""),
    "held": ("Held", "degraded"), "bounced": ("Bounce", ""), "automatic": ("Automatic", ""), "own": ("Our own", ""),
    "quarantined": ("Quarantine", "major"), "": ("Not read yet", "maintenance"),
}  # fmt: skip
FATES: dict[str, tuple[str, str]] = {
    "queued": ("Waits", "maintenance"), "sending": ("Being sent", "maintenance"), "sent": ("Sent", "ok"),
    "failed": ("Failed", "major"), "bounced": ("Bounced", "major"), "unconfirmed": ("Unconfirmed", "degraded"),
    "delivered": ("Delivered", "ok"), "complained": ("Called spam", "major"),
}  # fmt: skip


def came(mail: InboundMail) -> tuple[str, str]:
    """What became of it, as a word and a tone."""
    return (
        ("Discarded", "") if mail.state == InboundMail.State.DISCARDED else RESULTS.get(mail.result, (mail.result, ""))
    )


def went(delivery: Delivery) -> tuple[str, str]:
    """How far it got, as a word and a tone."""
    return FATES[delivery.fate]


def head(request: HttpRequest, side: str, tab: str) -> dict[str, Any]:
    """What stands above both lists."""
    standing = selectors.standing()
    counts = {
        ("received", "undecided"): standing.undecided, ("received", "waiting"): standing.unread,
        ("sent", "waiting"): standing.to_send,
    }  # fmt: skip
    tabs = [
        {
            "label": label,
            "url": address(reverse(_ROUTES[group]), state=name if name != next(iter(labels)) else None),
            "current": (group, name) == (side, tab),
            **({"count": formats.compact(counts[group, name])} if (group, name) in counts else {}),
        }
        for group, labels in _LABELS.items()
        for name, label in labels.items()
    ]
    return {
        "standing": standing, "tabs": tabs, "topics": TOPICS, "tab": tab, "may_view": can(request.user, "mail.view"),
        "may_manage": can(request.user, "mail.manage"),
        "needs": f"Who wrote, and what, is for the role {action('mail.view').needs}.",
        "read_note": _age(standing.oldest_unread), "send_note": _age(standing.oldest_to_send),
        "late": bool(standing.oldest_to_send and standing.oldest_to_send > LATE),
    }  # fmt: skip


def _age(oldest: dt.timedelta | None) -> str:
    return f"the oldest for {formats.duration(oldest)}" if oldest is not None else "nothing waits"


def mails(count: int) -> str:
    return f"{count:,} mail{'' if count == 1 else 's'}"
