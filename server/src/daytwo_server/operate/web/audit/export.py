"""The audit log as a file, however long it is: written while it is read, a batch of entries at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from daytwo_server.accounts.permissions import require
from daytwo_server.core import audit, clock
from daytwo_server.operate.web.audit.lines import Line, lines
from daytwo_server.operate.web.audit.wanted import listing_of, wanted_of
from daytwo_server.ui.listing import refusing_bad_filters
from daytwo_server.ui.sheets import inert

COLUMNS = (
    "at", "actor_kind", "actor_id", "actor", "action", "said", "object_kind", "object_id", "object", "before", "after",
    "ip",
)  # fmt: skip


@require("audit.view")
@require_safe
@refusing_bad_filters(box="")
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """All entries that the page's filters let through, as CSV or with one JSON object a line."""
    write, content_type = _WRITERS[kind]
    wanted = wanted_of(request, listing_of(request))
    wanted.found()  # refuse it here: what streams has answered already
    batches = audit.batches(wanted)
    content = () if request.method == "HEAD" else write(map(lines, batches))
    name = f"audit-{clock.now():%Y-%m-%d}.{kind}"
    return StreamingHttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _csv(batches: Iterator[Sequence[Line]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for batch in batches:
        writer.writerows([inert(value) for value in _values(line)] for line in batch)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _jsonl(batches: Iterator[Sequence[Line]]) -> Iterator[str]:
    for batch in batches:
        yield "".join(json.dumps(_object(line), ensure_ascii=False) + "\n" for line in batch)


def _object(line: Line) -> dict[str, object]:
    known = dict(zip(COLUMNS, _values(line), strict=True))
    states = {name: json.loads(known[name]) if known[name] else None for name in ("before", "after")}
    return {**known, **states}


def _values(line: Line) -> Sequence[str]:
    entry, thing = line.entry, line.object
    title = thing.title if thing else ""
    return (
        entry.at.isoformat(), entry.actor_kind, entry.actor_id, line.actor.title, entry.action,
        " ".join(filter(None, (line.said, title, line.rest))), entry.ref_kind, entry.ref_id, title, entry.before,
        entry.after, entry.ip,
    )  # fmt: skip


_Writer = Callable[[Iterator[Sequence[Line]]], Iterator[str]]
_WRITERS: dict[str, tuple[_Writer, str]] = {
    "csv": (_csv, "text/csv; charset=utf-8"),
    "jsonl": (_jsonl, "application/jsonl; charset=utf-8"),
}
