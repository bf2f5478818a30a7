"""The icons of `static/ui/icons.svg`, one external sprite that the browser fetches once for all pages."""

import functools
import re
from pathlib import Path

from django.templatetags.static import static
from django.utils.html import conditional_escape as esc
from django.utils.safestring import SafeString, mark_safe

from daytwo_server.ui.strict import choice

SPRITE = "ui/icons.svg"
SIZES = frozenset({"", "sm", "lg"})
_SYMBOL = re.compile(r'<symbol id="([\w-]+)"')


@functools.cache
def names() -> frozenset[str]:
    sprite = Path(__file__).parent / "static" / SPRITE
    return frozenset(_SYMBOL.findall(sprite.read_text("utf-8")))


@functools.lru_cache(maxsize=1024)  # a list of fifty shows the same four of them
def icon(name: str, size: str = "", *, css: str = "", label: str = "") -> SafeString:
    """The <svg> of one icon, 16 px or "sm" (14) or "lg" (24); `css` are further classes.

    Hidden from screen readers unless it has a `label`, because it then stands for a word. `choice` says what an
    unknown name does; where it is ignored, an empty square keeps the layout.
    """
    known, size = choice(name, names(), "icon"), choice(size, SIZES, "icon size")
    classes = "icon" + (f" icon--{size}" if size else "") + (f" {esc(css)}" if css else "")
    meaning = f'role="img" aria-label="{esc(label)}"' if label else 'aria-hidden="true"'
    shape = f'<use href="{static(SPRITE)}#{known}"/>' if known else ""
    return mark_safe(f'<svg class="{classes}" {meaning}>{shape}</svg>')  # noqa: S308 - a known name, escaped words
