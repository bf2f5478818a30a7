"""Names in saved replies that stand for what is known about a ticket: `{{customer.first_name|there}}`. Pure.

Not Django's templates: these can do nothing but be replaced, once, by a text. What is put in is not read again, so a
customer called `{{agent.name}}` stays one. After the bar stands what is said where nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLES = {
    "customer.name": "The customer's name",
    "customer.first_name": "The first word of it",
    "customer.email": "Their e-mail address",
    "organization.name": "Their organization",
    "ticket.code": "The number, as T-1042",
    "ticket.subject": "What the ticket is about",
    "agent.name": "Whoever answers",
    "agent.first_name": "The first word of their name",
}
_USED = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def problem(text: str) -> str:
    """What is wrong with the variables of a text; "" when nothing is."""
    for inside in _USED.findall(text):
        name = inside.partition("|")[0].strip()
        if name not in VARIABLES:
            return f"There is no variable {{{{{name[:40]}}}}}. These are known: {', '.join(VARIABLES)}."
    rest = _USED.sub("", text)
    if "{{" in rest or "}}" in rest:
        return "A variable is not closed. Write it like {{customer.first_name|there}}."
    return ""


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with `values` for its variables, and the words after the bar for those that are empty."""

    def value(found: re.Match[str]) -> str:
        name, _, otherwise = found[1].partition("|")
        return values.get(name.strip(), "").strip() or otherwise.strip()

    return _USED.sub(value, text)


def first_word(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.split() else ""
