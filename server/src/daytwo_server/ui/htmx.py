"""One URL for a page and for its parts.

htmx 4 says in a header what it wants: `HX-Request-Type: partial` for a piece, `full` when it replaces the whole body.
A view that answers both therefore needs no second route, and every part of a page is a page too.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as django_render
from django.utils.cache import patch_vary_headers

_KIND = "HX-Request-Type"


def wants_part(request: HttpRequest) -> bool:
    return request.headers.get(_KIND) == "partial"


def render(
    request: HttpRequest, page: str, part: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render template `part` when htmx asks for a piece, otherwise `page` (which includes `part`).

    Use status 422 for a form with messages and 409 for a conflict: those are swapped in. Other failures are not
    (`noSwap` in templates/ui/base.html); answer them in text/plain and the toast says your words.
    """
    template = part if wants_part(request) else page
    response = django_render(request, template, dict(context), status=status)
    # The browser's cache must not show the piece for the page when somebody presses Back.
    patch_vary_headers(response, [_KIND])
    return response
