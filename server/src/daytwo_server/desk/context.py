from collections.abc import Mapping
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from daytwo_server.accounts import permissions


def desk(request: HttpRequest) -> dict[str, Any]:
    """Where the frame around every page finds the palette; nothing for those who may not use it. Costs no query."""
    user = getattr(request, "user", None)
    if user is None or not permissions.can(user, "desk.use"):
        return {}
    return dict(_addresses(get_script_prefix()))


@cache
def _addresses(_prefix: str) -> Mapping[str, str]:
    return {
        "search_url": reverse("desk:search"),
        "palette_url": reverse("desk:palette"),
        "visit_url": reverse("desk:visit"),
        "views_part": "desk/_views_of.html",
    }
