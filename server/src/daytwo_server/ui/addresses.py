"""The tag `url` of Django, that works every address out once: a page has fifty."""

from __future__ import annotations

import functools
from typing import Any

from django.template import Context
from django.template.base import Parser, Token
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as compile_url
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape

KEPT = 2000
_PLAIN = (str, int)


class AddressNode(URLNode):
    """As Django's. What is no plain number or text, or has to be tried (`as`), is left to it."""

    def render(self, context: Context) -> str:
        arguments = tuple(one.resolve(context) for one in self.args)
        if self.asvar or self.kwargs or not all(type(one) in _PLAIN for one in arguments):
            return str(super().render(context))
        url = _reversed(self.view_name.resolve(context), arguments, get_script_prefix(), get_urlconf())
        return conditional_escape(url) if context.autoescape else url


def compile_address(parser: Parser, token: Token) -> AddressNode:
    """`{% url "room:page" 7 %}`."""
    node = compile_url(parser, token)
    return AddressNode(node.view_name, node.args, node.kwargs, node.asvar)


@functools.lru_cache(maxsize=KEPT)
def _reversed(name: str, arguments: tuple[Any, ...], _prefix: str, _urlconf: Any) -> str:
    return reverse(name, args=arguments)
