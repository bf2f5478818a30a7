"""A form that does not show that it is ours."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from daytwo_server.portal import addresses
from daytwo_server.portal.web.common import show, with_headers

# By the name of what a person typed, what our forms call it.
_TYPED = {
    "subject": "What is it about?",
    "description": "What happened, and what did you expect?",
    "content": "Your answer",
    "comment": "What was good, what was not?",
}
_HAS_A_FORM = {"new": "new", "rating": "rating", "reply": "ticket"}


def form_refused(request: HttpRequest, reason: str) -> HttpResponse:
    """Nothing was done, and what somebody typed is shown, to be sent from a page that is fresh. Not what another site
    sent: that is not to be read here as if the visitor had written it. Raises `Http404` while the portal is off.
    """
    if not addresses.is_open():
        raise Http404
    typed = [] if _is_of_another_site(reason) else [(label, request.POST.get(name)) for name, label in _TYPED.items()]
    kept = [(label, words) for label, words in typed if words and words.strip()]
    return with_headers(show(request, "refused", {"kept": kept, "again": _page_of(request)}, status=403))


def _is_of_another_site(reason: str) -> bool:
    # Django asks for the origin first: what it refuses for a cookie or a token came from a page of ours.
    return reason.startswith(("Origin checking failed", "Referer checking failed"))


def _page_of(request: HttpRequest) -> str:
    """Where the form stands."""
    match = request.resolver_match
    name = _HAS_A_FORM.get(match.url_name or "") if match else None
    return reverse(f"portal:{name}", kwargs=match.kwargs) if match and name else reverse("portal:home")
