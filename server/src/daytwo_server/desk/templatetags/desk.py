"""What other rooms put on their pages: `{% load desk %}`."""

import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from daytwo_server.accounts.permissions import can
from daytwo_server.desk import selectors
from daytwo_server.desk.services.views import normal

register = template.Library()


@register.inclusion_tag("desk/_views.html", takes_context=True)
def saved_views(
    context: Context, page: str, tabs: Iterable[Mapping[str, Any]], label: str, by: str = "", *, savable: bool = True
) -> dict[str, Any]:
    """The tabs of a list: its own (as of `{% tabs %}`), then the viewer's saved views and those shared with everybody.

    `page` names the list, `by` is the parameter that its own tabs set: an address with nothing else is no view to
    save. A list without tabs gets one that leads back from its views. `savable` is false where there is no list. Only
    the query string is kept, so a list needs nothing but this line.
    """
    request = context["request"]
    user, query = request.user, _normal(request.GET.urlencode())
    views = selectors.views(user, page)
    here = next((view for view in views if view.query == query), None)
    own = [{**tab, "current": tab.get("current") and here is None} for tab in tabs]
    saved = [
        {"label": view.name, "url": f"{request.path}?{view.query}", "current": view is here, "view": view}
        for view in views
    ]
    if saved and not (own or by):
        own = [{"label": "All", "url": request.path, "current": not query}]
    may_change = here is not None and (here.owner_id == user.pk or can(user, "desk.tidy"))
    return {
        "tabs": own + saved,
        "label": label,
        "page": page,
        "query": query,
        "here": request.get_full_path(),
        "view": here,
        "own": here is not None and here.owner_id == user.pk,
        "may_change": may_change,
        "may_share": can(user, "desk.share"),
        "savable": savable and here is None and any(name != by for name, _ in urllib.parse.parse_qsl(query)),
    }


def _normal(query: str) -> str:
    try:
        return normal(query)
    except ValueError:  # more parts than any list reads
        return ""


@register.simple_tag
def visited(kind: str, object_id: object) -> SafeString:
    """Say that this is the page of an object, so that it is among the viewer's recent ones."""
    return format_html('<i hidden data-visit="{}:{}"></i>', kind, object_id)


@register.simple_tag
def presence(kind: str, object_id: object) -> SafeString:
    """Who else has the page of this object open and who writes there; and tell them that the viewer is here.

    The page loads `ui/js/presence.js`, and its `#live` listens to `services.presence_topic`.
    """
    return format_html(
        '<span class="dotted" role="status" data-later data-presence="{}:{}" data-url="{}"></span>',
        kind, object_id, reverse("desk:presence"),
    )  # fmt: skip


@register.inclusion_tag("desk/_draft.html", takes_context=True)
def draft_textarea(
    context: Context, key: str, name: str, label: str, *, rows: int = 3, maxlength: int = 10_000, hint: str = "",
    text: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A text field that keeps what somebody writes on the server, under `key`, until `services.clear_draft(user, key)`.

    `text` comes first where it is given: what was sent and refused. A page with several looks for all of them at once
    (`selectors.drafts`) and has them as `drafts`.
    """
    found = context.get("drafts")
    known = selectors.draft(context["request"].user, key) if found is None else found.get(key)
    return {
        "key": key,
        "name": name,
        "label": label,
        "rows": rows,
        "maxlength": maxlength,
        "hint": hint,
        "text": text or (known.text if known else ""),
        "draft": known,
        "id": f"draft-{name}",
    }
