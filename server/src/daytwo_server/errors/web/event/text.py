"""An event as text: the traceback as the language prints it, and the whole as Markdown for issue trackers and tools."""

from __future__ import annotations

import re
from typing import Any

from daytwo_server.errors.models import Event, Issue
from daytwo_server.errors.web.event import crumbs as breadcrumbs
from daytwo_server.errors.web.event import sections
from daytwo_server.errors.web.event.exceptions import Raised, exceptions
from daytwo_server.errors.web.event.frames import file_of
from daytwo_server.errors.web.event.values import as_dict, as_list, dicts, line

_LINKS = {
    "caused by": "The above exception was the direct cause of the following exception:",
    "while handling": "During handling of the above exception, another exception occurred:",
    "one of the group": "The above exception is one of the following group:",
}


def traceback(event: dict[str, Any]) -> str:
    """All exceptions, or the stack of a message or of the crashed thread; empty when there is none."""
    raised = exceptions(event)
    if line(event.get("platform")) == "python":
        return _python(raised, event)
    blocks = [
        "\n".join([f"{f'{one.relation}: ' if one.relation else ''}{one.title}", *_frames(one.raw.get("stacktrace"))])
        for one in raised
    ]
    return "\n\n".join(blocks) or "\n".join(_frames(_stack_alone(event)))


def _python(raised: list[Raised], event: dict[str, Any]) -> str:
    """Python prints the cause first and the innermost call last."""
    blocks = []
    for one in reversed(raised):
        frames = _python_frames(one.raw.get("stacktrace"))
        blocks += ["\n".join([*frames, one.title]), *([_LINKS[one.relation]] if one.relation else [])]
    return "\n\n".join(blocks) or "\n".join(_python_frames(_stack_alone(event)))


def _python_frames(stacktrace: Any) -> list[str]:
    lines = []
    for frame in _raw_frames(stacktrace):
        lines.append(
            f'  File "{file_of(frame)}", line {frame.get("lineno", "?")}, in {line(frame.get("function")) or "?"}'
        )
        if isinstance(frame.get("context_line"), str):
            lines.append(f"    {frame['context_line'].strip()}")
    return ["Traceback (most recent call last):", *lines] if lines else []


def _frames(stacktrace: Any) -> list[str]:
    lines = []
    for frame in reversed(_raw_frames(stacktrace)):
        place = ":".join(
            str(part) for part in (file_of(frame), frame.get("lineno"), frame.get("colno")) if part is not None
        )
        function = line(frame.get("function"))
        lines.append(f"    at {function} ({place})" if function else f"    at {place}")
    return lines


def _raw_frames(stacktrace: Any) -> list[dict[str, Any]]:
    return [frame for frame in as_list(as_dict(stacktrace).get("frames")) if isinstance(frame, dict)]


def _stack_alone(event: dict[str, Any]) -> Any:
    if event.get("stacktrace"):
        return event["stacktrace"]
    blamed = (one for one in dicts(event.get("threads")) if one.get("crashed") or one.get("current"))
    return next(blamed, {}).get("stacktrace")


def markdown(issue: Issue, event: Event, body: dict[str, Any] | None, url: str) -> str:
    """The issue and this event, with everything a person or a program needs to look for the cause."""
    facts = [
        ("Link", url),
        ("Project", issue.project.name),
        ("Status", issue.get_status_display()),
        ("Level", event.level),
        ("Culprit", issue.culprit),
        ("Events", f"{issue.count:,} from {issue.users:,} users"),
        ("Seen", f"{issue.first_seen:%Y-%m-%d %H:%M:%S} to {issue.last_seen:%Y-%m-%d %H:%M:%S} UTC"),
        ("This event", f"{event.event_id}, {event.timestamp:%Y-%m-%d %H:%M:%S} UTC"),
        ("Release", event.release),
        ("Environment", event.environment),
        ("Transaction", event.transaction),
        ("Trace", event.trace_id),
    ]
    blocks = [f"# {issue.short_id}: {line(issue.title)}", _bullets([(name, value) for name, value in facts if value])]
    if body is None:
        return "\n\n".join([*blocks, "The body of this event is no longer kept."]) + "\n"
    return "\n\n".join([*blocks, *_parts(body)]) + "\n"


def _parts(body: dict[str, Any]) -> list[str]:
    request = sections.request(body)
    tables = [
        ("Breadcrumbs", "\n".join(_crumb(one) for one in breadcrumbs.crumbs(body))),
        (
            "Request",
            f"`{request.method} {request.url}`\n\n{_bullets(request.query + request.headers)}" if request else "",
        ),
        ("User", _bullets(sections.user(body))),
        ("Tags", _bullets(sections.tags(body))),
        ("Flags", _bullets(breadcrumbs.flags(body))),
        *((f"Context: {one.name}", _bullets(one.rows)) for one in sections.contexts(body)),
        ("Extra", _bullets(sections.extras(body))),
    ]
    trace = traceback(body)
    stack = [f"## Stack trace\n\n{_fenced(trace)}"] if trace else []
    return stack + [f"## {name}\n\n{text}" for name, text in tables if text]


def _crumb(one: breadcrumbs.Crumb) -> str:
    at = f"{one.at:%H:%M:%S} " if one.at else ""
    data = ", ".join(f"{name}={line(value)}" for name, value in one.data)
    return f"- {at}**{one.title}** {' '.join(filter(None, [one.message, f'({data})' if data else '']))}".rstrip()


def _bullets(rows: sections.Rows) -> str:
    return "\n".join(f"- {f'{name}: ' if name else ''}{line(value)}" for name, value in rows)


def _fenced(text: str) -> str:
    """A fence longer than any in the text, which would end it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
