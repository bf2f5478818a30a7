"""One event for programs and for issue trackers."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from daytwo_server.accounts.http import absolute
from daytwo_server.accounts.permissions import require
from daytwo_server.errors.models import Event, Issue
from daytwo_server.errors.selectors import events, issues
from daytwo_server.errors.web.event.text import markdown


@require("errors.view")
@require_safe
def as_json(request: HttpRequest, number: str, event_id: str) -> HttpResponse:
    """The scrubbed event as it is stored."""
    _, event = _find(number, event_id)
    body = events.body(event)
    if body is None:
        return HttpResponse("The body of this event is no longer kept.", status=404, content_type="text/plain")
    return JsonResponse(body, json_dumps_params={"indent": 2, "ensure_ascii": False})


@require("errors.view")
@require_safe
def as_markdown(request: HttpRequest, number: str, event_id: str) -> HttpResponse:
    """Issue and event as Markdown."""
    issue, event = _find(number, event_id)
    link = absolute(reverse("errors:event", args=[issue.pk, event.event_id]))
    text = markdown(issue, event, events.body(event), link)
    return HttpResponse(text, content_type="text/markdown; charset=utf-8")


def _find(number: str, event_id: str) -> tuple[Issue, Event]:
    issue = issues.issue(int(number))
    event = events.event_of(issue.pk, event_id) if issue else None
    if issue is None or event is None:
        raise Http404
    return issue, event
