"""What other rooms put into the rail of their pages: `{% load links %}`."""

from typing import Any

from django import template
from django.template.context import Context

from daytwo_server.accounts.permissions import can
from daytwo_server.core.ref import Ref
from daytwo_server.links.selectors import linked

register = template.Library()


@register.inclusion_tag("links/_rail.html", takes_context=True)
def links(context: Context, kind: str, object_id: int | str) -> dict[str, Any]:
    """What belongs to an object, with the other side of each link, and for those who may the form for another one."""
    request = context["request"]
    return {
        "links": linked(request.user, Ref(kind, object_id)),
        "ref": f"{kind}:{object_id}",
        "may_manage": can(request.user, "links.manage"),
        "here": request.get_full_path(),
    }
