"""Comments on an issue."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from daytwo_server.accounts.http import viewer
from daytwo_server.accounts.permissions import require
from daytwo_server.desk.services import MAX_DRAFT, keep_draft
from daytwo_server.errors import services
from daytwo_server.errors.models import Activity
from daytwo_server.errors.selectors import issues
from daytwo_server.ui import toasts


@require("errors.comment")
@require_POST
def add(request: HttpRequest, number: str) -> HttpResponse:
    """Write a comment. One that is refused stands in the form again."""
    issue, text = issues.issue(int(number)), request.POST.get("text", "")
    if issue is None:
        raise Http404
    try:
        services.comment(issue.pk, text, actor=viewer(request))
    except services.CommentError as problem:
        messages.error(request, str(problem))
        keep_draft(viewer(request), services.draft_key(issue.pk), text[:MAX_DRAFT])
    return _back(issue.pk)


@require("errors.comment")
@require_POST
def delete(request: HttpRequest, number: str, comment: str) -> HttpResponse:
    """Take back a comment of one's own."""
    found = _own(request, number, comment)
    if found is not None:
        services.delete_comment(found, actor=viewer(request))
        toasts.undoable(request, "Comment deleted", reverse("errors:restore-comment", args=[found.issue_id, found.pk]))
    return _back(int(number))


@require("errors.comment")
@require_POST
def restore(request: HttpRequest, number: str, comment: str) -> HttpResponse:
    """Undo a deletion."""
    found = _own(request, number, comment)
    if found is not None:
        with toasts.telling(request, services.CommentError):
            services.restore_comment(found, actor=viewer(request))
            messages.success(request, "The comment is back")
    return _back(int(number))


def _own(request: HttpRequest, number: str, comment: str) -> Activity | None:
    """None, and said so, when there is no such comment of the viewer's."""
    written = Activity.objects.filter(kind=Activity.Kind.COMMENTED, actor=viewer(request))
    found = written.filter(pk=int(comment), issue=int(number)).first()
    if found is None:
        messages.error(request, "Only who wrote a comment can delete it or bring it back.")
    return found


def _back(issue: int) -> HttpResponse:
    return redirect(reverse("errors:activity", args=[issue]))
