"""What was rendered from the same words before. Rows of lists hardly change between two looks at them."""

from __future__ import annotations

import functools
from collections.abc import Hashable

from django.template import Context, Template
from django.template.loader import get_template
from django.utils.safestring import SafeString

KEPT = 1000  # texts, a row of about a kilobyte each


@functools.lru_cache(maxsize=KEPT)
def rendered(template_name: str, **words: Hashable) -> SafeString:
    """The template with these words alone: it knows no request, no time and nobody's zone, or would show what it knew.

    Words are compared by value, so they are plain values and frozen dataclasses of them. An object of the database is
    equal to what it was before it changed: never hand one over.
    """
    template: Template = get_template(template_name).template  # type: ignore[attr-defined]  # of Django's own engine
    return template.render(Context(words))
