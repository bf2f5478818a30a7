"""Feature flags in templates.

{% load daytwo_flags %}
{% flag "new-checkout" %}the new{% else %}the old{% endflag %}
{% flag_variant "button-colour" default="blue" as colour %}
"""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.safestring import SafeString

from daytwo import flags
from daytwo.integrations.django.flags import context_of

register = template.Library()


class _FlagNode(template.Node):
    child_nodelists = ("on", "off")

    def __init__(
        self, key: FilterExpression, attributes: dict[str, FilterExpression], on: NodeList, off: NodeList
    ) -> None:
        self.key, self.attributes, self.on, self.off = key, attributes, on, off

    def render(self, context: Context) -> SafeString:
        given = {name: value.resolve(context) for name, value in self.attributes.items()}
        is_on = flags.enabled(str(self.key.resolve(context)), **(_asking(context) | given))
        return (self.on if is_on else self.off).render(context)


@register.tag("flag")
def flag(parser: Parser, token: Token) -> _FlagNode:
    """`{% flag "key" plan=account.plan %}…{% else %}…{% endflag %}`: further arguments are attributes."""
    bits = token.split_contents()[1:]
    if not bits:
        raise template.TemplateSyntaxError("`flag` needs the key of a flag")
    key, rest = parser.compile_filter(bits[0]), bits[1:]
    attributes = token_kwargs(rest, parser)
    if rest:
        raise template.TemplateSyntaxError(f"`flag`: {rest[0]!r} is no name=value")
    on = parser.parse(("else", "endflag"))
    off = NodeList()
    if parser.next_token().contents == "else":
        off = parser.parse(("endflag",))
        parser.delete_first_token()
    return _FlagNode(key, attributes, on, off)


@register.simple_tag(takes_context=True)
def flag_variant(context: Context, key: str, default: str | None = None, **attributes: Any) -> str | None:
    """The name of the variant, also `… as name`."""
    return flags.variant(key, default=default, **(_asking(context) | attributes))


def _asking(context: Context) -> dict[str, Any]:
    request = context.get("request")
    return context_of(request) if request is not None else {}
