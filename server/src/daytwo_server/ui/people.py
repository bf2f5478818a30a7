"""Initials and a colour for somebody without a picture."""

import functools
import zlib

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from daytwo_server.ui.icons import SIZES
from daytwo_server.ui.strict import choice


def initials(name: str) -> str:
    """One or two capitals: of the first and the last word, or of the part before the @ of an address."""
    words = [word for word in name.partition("@")[0].replace(".", " ").replace("_", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(key: str) -> int:
    """An angle on the colour wheel, 0-359 in steps of 15: the same for one key on every page, server and day.

    Python's own hash() is salted per process, so CRC-32 stands in. Steps keep near-equal colours apart.
    """
    return zlib.crc32(key.casefold().encode()) % 24 * 15


@functools.lru_cache(maxsize=4096)  # the same few stand in every row
def avatar(name: str, size: str, key: str, *, square: bool, alone: bool) -> SafeString:
    """The mark of somebody: their initials on a colour of their own, which `key` fixes, or else the name."""
    size = choice(size, SIZES, "avatar size")
    css = "avatar" + (f" avatar--{size}" if size else "") + (" avatar--square" if square else "")
    meaning = mark_safe('role="img"') if alone else mark_safe('aria-hidden="true"')  # the title is the name
    return format_html(
        '<span class="{}" style="--hue: {}" title="{}" {}>{}</span>',
        css,
        hue(key or name),
        name,
        meaning,
        initials(name),
    )
