"""The page about what arrives."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from daytwo_server.accounts.permissions import require
from daytwo_server.core import conf
from daytwo_server.ingest import selectors as ingest
from daytwo_server.operate.web.intake import intake

RANGES = {"24h": ("24 h", 24), "7d": ("7 d", 24 * 7)}
MAX_SENDERS = 50
LATE_S = 60  # as the health check has it: a minute behind is an overload


@require("operate.view")
@require_GET
def ingest_health(request: HttpRequest) -> HttpResponse:
    """What arrives, what is kept and what is lost; `?range=` is 24h or 7d."""
    chosen = request.GET.get("range", "24h")
    chosen = chosen if chosen in RANGES else "24h"
    found = intake(RANGES[chosen][1])
    state = ingest.state(conf.current())
    words = {
        "intake": found,
        "senders": found.senders[:MAX_SENDERS],
        "state": state,
        "late": state.lag_s > LATE_S,
        "spool_note": f"{state.spool_segments} file{'' if state.spool_segments == 1 else 's'}",
        "range": RANGES[chosen][0],
        "ranges": [
            {"label": label, "url": f"?range={name}", "current": name == chosen} for name, (label, _) in RANGES.items()
        ],
    }
    return render(request, "operate/ingest.html", words)
