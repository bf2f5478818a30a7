"""Moments as pages show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from daytwo_server.core import clock
from daytwo_server.ui import formats
from daytwo_server.ui.strict import choice

_STYLES = frozenset({"", "short", "left", "clock", "date"})
_AGO = frozenset({"", "short"})
_absolute = ContextVar("absolute_times", default=False)


@contextmanager
def absolute(*, on: bool) -> Iterator[None]:
    """Whether what is written meanwhile says when something was instead of how long ago."""
    before = _absolute.set(on)
    try:
        yield
    finally:
        _absolute.reset(before)


def shown(
    value: dt.datetime | None, style: str = "", *, css: str = "", stop: bool = True, bare: bool = False,
    never: str = "never",
) -> SafeString:  # fmt: skip
    """How long ago, with the exact moment in a tooltip, in the reader's time zone. Styles: "" is "5 min ago", "short"
    is "5 min", "clock" is "08:40", "date" is "14 Oct". For readers who want times `absolute` the first two are "08:40",
    or "14 Oct, 08:40" on another day; "left" is "5 min" for them too, for what is a length of time: "5 min late". A
    missing value reads `never`.

    `stop` lets the keyboard stop here to show the tooltip. Turn it off inside a link and in long lists, where the
    focus of the link or the row shows it. `bare` leaves even the tooltip to static/ui/js/tips.js, for lists of fifty;
    they say `data-relative` once, on an element around them.
    """
    if value is None:
        return format_html('<span class="subtle">{}</span>', never)
    if value.tzinfo is None:
        raise ValueError("A naive time cannot be shown: nobody knows whose clock it is of.")
    now = clock.now()
    near = abs((now - value).total_seconds()) < formats.WEEK
    relative = choice(style, _STYLES, "time style") == "left" or (style in _AGO and not _absolute.get())
    short = style in {"short", "left"}
    if style == "left" and _absolute.get():
        bare, stop = False, False  # the only kind that moves on such a page says so by itself
    utc = f"{value.astimezone(clock.UTC):%Y-%m-%dT%H:%M:%SZ}"
    if bare and near and relative:  # the reader's zone says nothing here, and finding it takes the longest
        text = formats.relative(value, now, short=short)
        return mark_safe(f'<time datetime="{utc}">{text}</time>')  # noqa: S308 - digits and units
    moment = timezone.localtime(value)
    match style:
        case "clock":
            text = f"{moment:%H:%M}"
        case "date":
            text = formats.day(moment, now)
        case _ if relative:
            text = formats.relative(moment, now, short=short)
        case _:
            text = formats.absolute(moment, now)
    if bare:
        return format_html('<time datetime="{}">{}</time>', utc, text)
    return format_html(
        '<time datetime="{}" title="{}"{}{}{}>{}</time>',
        utc,
        formats.exact(moment),
        format_html(' class="{}"', css) if css else "",
        format_html(' data-relative="{}"', style) if relative and near else "",
        mark_safe(' tabindex="0"') if stop else "",
        text,
    )
