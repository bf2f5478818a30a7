"""All parts of an event together, for the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daytwo_server.errors.web.event import crumbs, sections, text
from daytwo_server.errors.web.event.crumbs import Crumb
from daytwo_server.errors.web.event.exceptions import Raised, Thread, exceptions, threads
from daytwo_server.errors.web.event.frames import Trace, trace
from daytwo_server.errors.web.event.sections import Request, Rows, Section
from daytwo_server.errors.web.event.values import line
from daytwo_server.ui.stack import Fold

MODES = {"app": "In app", "all": "All", "raw": "Raw"}
CRUMBS_AT_ONCE = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """What an event says, part by part; a part it does not have is empty."""

    mode: str
    message: str
    raised: list[Raised]
    trace: Trace | None
    threads: list[Thread]
    traceback: str
    early_crumbs: list[Crumb]
    crumbs: list[Crumb]
    request: Request | None
    user: Rows
    tags: Rows
    flags: list[tuple[str, str]]
    contexts: list[Section]
    extra: Rows
    modules: Rows
    sdk: str
    trimmed: list[str]

    @property
    def has_stack(self) -> bool:
        return bool(self.traceback) or bool(self.raised)

    def thread(self, key: str) -> Thread | None:
        """The thread that the page calls so."""
        return next((one for one in self.threads if one.key == key), None)

    def fold(self, key: str) -> Fold | None:
        """The frames that the page calls so."""
        stacks = [self.trace, *(one.trace for one in self.raised), *(one.trace for one in self.threads)]
        rows = (row for stack in stacks if stack for run in stack.runs for row in run.rows)
        return next((row for row in rows if isinstance(row, Fold) and row.key == key), None)


def mode_of(given: str) -> str:
    """How frames are shown: `app`, `all` or `raw`."""
    return given if given in MODES else "app"


def view(body: dict[str, Any], mode: str) -> EventView:
    """Take a stored event apart."""
    everything = mode == "all"
    steps = crumbs.crumbs(body)
    return EventView(
        mode=mode,
        message=str(body.get("message") or ""),
        raised=exceptions(body, everything=everything),
        trace=trace(body.get("stacktrace"), platform=line(body.get("platform")), name="m", everything=everything),
        threads=threads(body, everything=everything),
        traceback=text.traceback(body),
        early_crumbs=steps[:-CRUMBS_AT_ONCE],
        crumbs=steps[-CRUMBS_AT_ONCE:],
        request=sections.request(body),
        user=sections.user(body),
        tags=sections.tags(body),
        flags=crumbs.flags(body),
        contexts=sections.contexts(body),
        extra=sections.extras(body),
        modules=sections.modules(body),
        sdk=sections.sdk(body),
        trimmed=sections.trimmed(body),
    )
