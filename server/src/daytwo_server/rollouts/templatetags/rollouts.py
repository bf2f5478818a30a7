"""What other rooms' pages show of this one."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from daytwo_server.rollouts.selectors import Watch

register = template.Library()
_OF_THE_PAGE = (
    "flag", "state", "environment", "may_change", "why_needed", "longest_reason", "here", "ramp_url", "csrf_token",
)  # fmt: skip


@register.inclusion_tag("rollouts/_hurt.html", takes_context=True)
def does_it_hurt(context: Context, watch: Watch | None) -> dict[str, Any]:
    """The card of a flag's page that compares errors where it is on and off; nothing where there is no state yet."""
    return {"watch": watch, **{name: context.get(name) for name in _OF_THE_PAGE}}


@register.inclusion_tag("rollouts/_left.html", takes_context=True)
def it_hurts(context: Context, watch: Watch | None) -> dict[str, Any]:
    """The strip at the top of a flag's page where errors gather and the guard left the flag as it is, with the way
    back; nothing else.
    """
    return {"watch": watch, **{name: context.get(name) for name in _OF_THE_PAGE}}
