"""What other rooms put on their pages about flags: `{% load flags %}`."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.template.context import Context

from daytwo_server.accounts.permissions import can
from daytwo_server.core import preferences
from daytwo_server.flags.models import MAX_REASON
from daytwo_server.flags.selectors.suspects import OnEvents

register = template.Library()


@register.inclusion_tag("flags/_on_events.html")
def flags_on_events(rows: Sequence[OnEvents]) -> dict[str, Any]:
    """The flags of an error's events, for its rail: those of `suspects.on_events`."""
    return {"rows": rows}


@register.inclusion_tag("flags/_suspect.html", takes_context=True)
def suspect_flag(context: Context, rows: Sequence[OnEvents], environment: str = "") -> dict[str, Any]:
    """The first suspect among them, if there is one, with the kill switch for those who may pull it."""
    request = context["request"]
    return {
        "suspect": rows[0] if rows and rows[0].is_suspect else None,
        "environment": environment,
        "may_change": can(request.user, "flags.change"),
        "why_needed": preferences.current().flags_require_comment,
        "longest_reason": MAX_REASON,
        "csrf_token": context.get("csrf_token"),
    }
