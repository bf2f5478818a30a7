"""The component tags of Daytwo's pages. `main.settings` makes them builtins; elsewhere write `{% load ui %}`.

Text given to a tag is escaped unless it is already safe. Tones are "", ok, degraded, partial, major, maintenance and
accent; a wrong tone or icon fails while developing (see `ui.strict`). Wherever a tag takes `items`, each is a mapping
or an object with the named fields.
"""

import datetime as dt
import functools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect
from django.template.base import Node, Parser, Token
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from daytwo_server.core import clock
from daytwo_server.ui import (
    addresses,
    charts,
    formats,
    highlight,
    icons,
    nav,
    people,
    remembered,
    shortcuts,
    stack,
    times,
    toasts,
)
from daytwo_server.ui.strict import choice

register = template.Library()
register.simple_tag(icons.icon)
register.simple_tag(charts.sparkline)
register.simple_tag(charts.bars)
register.simple_tag(charts.periods)
register.filter(formats.compact)
register.filter(formats.grouped)
register.filter(formats.duration)

BADGE_TONES = charts.TONES | {"plain"}
BUTTON_TONES = frozenset({"", "primary", "danger", "quiet"})
_compile_icon = register.tags["icon"]
register.tag("url", addresses.compile_address)


@register.tag("icon")
def compile_icon(parser: Parser, token: Token) -> Node:
    """A literal name is checked when the template is compiled, so a typo fails in every environment and every test."""
    node: Node = _compile_icon(parser, token)
    first = next(iter(getattr(node, "args", ())), None)
    name = getattr(first, "var", None)  # a string when it is a literal, otherwise a Variable
    if isinstance(name, str) and name not in icons.names():
        raise template.TemplateSyntaxError(f"{{% icon %}} has no icon {name!r}; {icons.SPRITE} lists the names")
    return node


# ---- Keys ----


@register.simple_tag(name="key")
def shortcut(key: str, label: object = "") -> SafeString:
    """Attributes that let a key press this button or link. `label` says what it does there, where the text does not.

    The letters and their meanings are those of `ui.shortcuts`.
    """
    if not shortcuts.known(key):
        return mark_safe("")
    words = format_html(' data-key-label="{}"', label) if label else ""
    return format_html('data-key="{}"{}', key, words)


_compile_key = register.tags["key"]


@register.tag("key")
def compile_key(parser: Parser, token: Token) -> Node:
    """As with icons: a literal key without a meaning fails wherever the template is compiled."""
    node: Node = _compile_key(parser, token)
    name = getattr(next(iter(getattr(node, "args", ())), None), "var", None)
    if isinstance(name, str) and name not in shortcuts.LETTERS:
        raise template.TemplateSyntaxError(f"{{% key %}} knows no {name!r}; give it a meaning in ui/shortcuts.py")
    return node


# ---- Words and marks ----


@register.simple_tag
def badge(text: object, tone: str = "", *, live: bool = False) -> SafeString:
    tone = choice(tone, BADGE_TONES, "badge tone")
    css = f"badge badge--{tone}" if tone else "badge"
    mark = format_html('<span class="dot dot--{} dot--live"></span>', tone or "accent") if live else ""
    return format_html('<span class="{}">{}{}</span>', css, mark, text)


@register.simple_tag
def dot(tone: str = "", label: object = "") -> SafeString:
    """A shape and, as colour is never the only sign, the word that belongs to it."""
    mark = _dot(tone)
    return format_html('<span class="cluster">{}{}</span>', mark, label) if label else mark


@functools.cache
def _dot(tone: str) -> SafeString:
    tone = choice(tone, charts.TONES, "dot tone")
    return format_html('<span class="{}"></span>', f"dot dot--{tone}" if tone else "dot")


@register.simple_tag
def avatar(name: object, size: str = "", *, key: object = "", square: bool = False, alone: bool = False) -> SafeString:
    """Initials on a colour of their own. `key` (an address, an id) fixes the colour when names may repeat.

    Hidden from screen readers, as the name usually stands beside it; `alone` when it does not.
    """
    return people.avatar(str(name), size, str(key), square=square, alone=alone)


@register.simple_tag
def number(value: float | None, *, short: bool = False, bare: bool = False) -> SafeString:
    """Digits of equal width; `short` writes 12345 as 12.3k and keeps the whole number in the tooltip.

    `bare` is for long lists whose cells have digits of equal width already.
    """
    if value is None:
        return mark_safe('<span class="number subtle">&ndash;</span>')
    text, whole = (formats.compact if short else formats.grouped)(value), formats.grouped(value)
    if bare:
        return format_html('<span title="{}">{}</span>', whole, text) if text != whole else mark_safe(text)  # noqa: S308 - digits
    if text == whole:
        return format_html('<span class="number">{}</span>', text)
    return format_html('<span class="number" title="{}">{}</span>', whole, text)


# ---- Time ----

register.simple_tag(times.shown, name="time")


@register.simple_tag
def elapsed(since: dt.datetime) -> SafeString:
    """A clock that counts up from `since`, "24:17"."""
    seconds = (clock.now() - since).total_seconds()
    return format_html(
        '<b class="strong number" data-elapsed="{}">{}</b>', int(since.timestamp()), formats.clock_face(seconds)
    )


@register.simple_tag
def countdown(until: dt.datetime, soon: int = 600) -> SafeString:
    """A clock that counts down to `until`: orange in the last `soon` seconds, then red and negative."""
    seconds = (until - clock.now()).total_seconds()
    tone = " text-major" if seconds < 0 else " text-partial" if seconds < soon else ""
    return format_html(
        '<b class="strong number{}" data-countdown="{}" data-soon="{}">{}</b>',
        tone, int(until.timestamp()), soon, formats.clock_face(seconds),
    )  # fmt: skip


@register.simple_tag
def zone() -> str:
    """The name of the reader's time zone, for scripts that write times."""
    return timezone.get_current_timezone_name()


@register.simple_tag
def server_now() -> str:
    """Seconds since 1970, for scripts that correct the browser's clock."""
    return f"{clock.now().timestamp():.1f}"


# ---- Pictures ----


@register.inclusion_tag("ui/components/bar_chart.html")
def bar_chart(chart: charts.BarChart) -> dict[str, Any]:
    return {"legend": chart.legend, "picture": charts.bar_chart(chart)}


@register.inclusion_tag("ui/components/distribution.html")
def distribution(label: object, parts: Sequence[tuple[object, float]], show: int = 3) -> dict[str, Any]:
    """How often each value occurs: `parts` are (value, count), largest first; all after `show` become "other"."""
    total = sum(count for _, count in parts) or 1
    shares = [(name, count * 100 / total) for name, count in parts[:show]]
    rest = 100 - sum(share for _, share in shares)
    if len(parts) > show:
        shares.append(("other", rest))
    return {"label": label, "shares": [(name, share, _percent(share)) for name, share in shares]}


def _percent(share: float) -> str:
    return "<1%" if 0 < share < 1 else f"{share:.0f}%"


@register.simple_tag
def progress(done: float, total: float, label: object) -> SafeString:
    share = min(100, max(0, round(done * 100 / total))) if total else 0
    return format_html(
        '<div class="progress" role="progressbar" aria-label="{0}" aria-valuemin="0" aria-valuemax="100"'
        ' aria-valuenow="{1}"><span style="inline-size: {1}%"></span></div>',
        label, share,
    )  # fmt: skip


@register.inclusion_tag("ui/components/stat.html")
def stat(
    label: object, value: object, unit: object = "", *, note: object = "", tone: str = "", url: str = "",
    trend: Sequence[float] = (),
) -> dict[str, Any]:  # fmt: skip
    """A tile: a number, one judgement in words (`note`), a line of the last day (`trend`). No tone is calm."""
    picture = charts.sparkline(trend, label=f"{label}, recent course", tone=tone) if trend else ""
    return {"label": label, "value": value, "unit": unit, "note": note, "tone": tone, "url": url, "picture": picture}


# ---- Finding one's way ----


@register.inclusion_tag("ui/components/tabs.html")
def tabs(items: Iterable[Mapping[str, Any]], label: object) -> dict[str, Any]:
    """`items`: label, url, and optionally count, current."""
    return {"items": items, "label": label}


@register.inclusion_tag("ui/components/segmented.html")
def segmented(items: Iterable[Mapping[str, Any]], label: object) -> dict[str, Any]:
    """A choice of a few links. `items`: label, url, and optionally current."""
    return {"items": items, "label": label}


@register.inclusion_tag("ui/components/chips.html")
def chips(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Filters in force, each a link that lifts it. `items`: name, verb ("is"), value, url (the page without it)."""
    return {"items": items}


@register.inclusion_tag("ui/components/pager.html")
def pager(newer: str = "", older: str = "", back: str = "Newer", on: str = "Older") -> dict[str, Any]:
    """Links to the pages around a cursor; nothing at all when there is only one page."""
    return {"newer": newer, "older": older, "back": back, "on": on}


@register.simple_tag(takes_context=True)
def history(context: Context, kind: str, object_id: object, label: object = "Who changed this") -> SafeString:
    """A link to everything that was done to this object, for those who may see it; nothing for others."""
    url = reverse(nav.history()) if nav.history() else ""
    if not any(item["url"] == url for group in context.get("sections") or () for item in group["items"]):
        return mark_safe("")
    return format_html('<a class="link" href="{}?object={}:{}">{}</a>', url, kind, object_id, label)


# ---- Lists ----


@register.simple_block_tag
def bulk(content: SafeString, label: object, *, every: object = "", total: int = 0, most: int = 0) -> SafeString:
    """The bar that shows while rows of a form[data-ticks] are selected; its content are the buttons.

    With `every` it offers to mean the whole list, all `total` rows of it or the first `most`; the form then sends
    `every`, and it is for the page to know by this value what the list was when it was shown.
    """
    capped = 0 < most < total
    words = f"{most if capped else total:,}"
    text = f"The first {words} that match" if capped else f"All {words} that match"
    return render_to_string(
        "ui/components/bulk.html", {"content": content, "label": label, "every": every, "words": words, "text": text}
    )


@register.simple_tag(name="remembered")
def rendered(template_name: str, **words: Hashable) -> SafeString:
    """The template with these words alone, as `ui.remembered` keeps it: for rows that are shown again and again."""
    return remembered.rendered(template_name, **words)


@register.inclusion_tag("ui/components/news.html")
def news(url: str) -> dict[str, Any]:
    """Where news appear that the page does not show yet: `url` answers with a link, or with nothing.

    It is asked whenever the stream of the page's `#live` says that something changed.
    """
    return {"url": url}


@register.inclusion_tag("ui/components/drawer.html")
def drawer(ref: object = "", url: str = "") -> dict[str, Any]:
    """Once on a page with `data-drawer`: see static/ui/js/drawer.js. `ref` and `url` are of what `?open=` names, for a
    row that is not on this page.
    """
    return {"ref": ref, "url": url}


@register.inclusion_tag("ui/components/neighbours.html")
def neighbours(url: str, noun: object = "row", *, keys: bool = True) -> dict[str, Any]:
    """Links to the rows before and after `url` in the list that somebody came from (one with `data-list`); hidden when
    they came another way. A link with `data-list-link` then leads back to that very list.
    """
    return {"url": url, "noun": noun, "keys": keys}


# ---- Blocks ----


@register.simple_block_tag
def callout(content: SafeString, tone: str = "", *, icon: str = "info") -> SafeString:
    tone = choice(tone, charts.TONES, "callout tone")
    return render_to_string("ui/components/callout.html", {"content": content, "tone": tone, "icon": icon})


@register.simple_block_tag
def empty_state(
    content: SafeString, title: object, *, text: object = "", icon: str = "", snippet: str = "",
    language: str = "", waiting: object = "",
) -> SafeString:  # fmt: skip
    """What to do when there is nothing yet. `snippet` is code to copy, `waiting` is what the page listens for,
    the content between the tags are the buttons.
    """
    words = {"title": title, "text": text, "icon": icon, "snippet": snippet, "language": language, "waiting": waiting}
    return render_to_string("ui/components/empty_state.html", {"content": content, **words})


@register.inclusion_tag("ui/components/properties.html")
def properties(items: Iterable[tuple[object, object]]) -> dict[str, Any]:
    """Label and value in two columns. A value that is safe HTML, such as the result of another tag, stays as it is."""
    return {"items": items}


@register.inclusion_tag("ui/components/code_block.html")
def code_block(text: str, language: str = "", *, label: str = "Copy") -> dict[str, Any]:
    """Code with a button that copies it. `language` as in `highlight.language_of`; unknown ones stay plain."""
    lines = highlight.highlight_lines(text.splitlines(), language)
    return {"code": mark_safe("\n".join(lines)), "label": label}  # noqa: S308 - every line is escaped


@register.inclusion_tag("ui/components/stack_trace.html")
def stack_trace(rows: Iterable[stack.Frame | stack.Fold], url: str = "", full: str = "") -> dict[str, Any]:
    """A stack as of `stack.fold`. With `url` a fold with a key fetches its frames from there, the key added, when it
    is opened; `full` is the address of the page with every frame, for whoever has no script.
    """
    return {"rows": rows, "url": url, "full": full}


@register.inclusion_tag("ui/components/skeleton.html")
def skeleton(lines: int = 3) -> dict[str, Any]:
    widths = (60, 85, 40, 72, 55)
    return {"widths": [widths[i % len(widths)] for i in range(lines)]}


# ---- Doing something ----


@register.inclusion_tag("ui/components/copy_button.html")
def copy_button(text: str, label: str = "Copy") -> dict[str, Any]:
    return {"text": text, "label": label}


@register.inclusion_tag("ui/components/post_button.html")
def post_button(
    label: object, url: str, *, tone: str = "", icon: str = "", small: bool = False, key: str = "",
    fields: Mapping[str, object] | None = None, form: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A button that changes something at once. It asks no question: what it does can be undone from its toast.

    `fields` are sent along as hidden inputs; `key` is the letter that presses it. In a list `form` is the id of one
    form for all rows, `<form id="rows" method="post">{% csrf_token %}</form>`: fifty forms are 15 kB.
    """
    tone = choice(tone, BUTTON_TONES, "button tone")
    words = {"label": label, "url": url, "tone": tone, "icon": icon, "small": small, "key": key}
    return {**words, "fields": dict(fields or {}), "form": form}


@register.inclusion_tag("ui/components/suggest.html")
def suggest(
    name: str, url: str, label: object, *, hint: object = "", value: object = "", form: str = "", required: bool = False
) -> dict[str, Any]:
    """A text field that offers what `url` answers, as `<option>`s, to what was typed (`?of=name&name=typed`): for a
    choice among too many to list. `form` is the id of its form where it stands outside.
    """
    return {
        "name": name, "url": url, "label": label, "hint": hint, "value": value, "form": form, "required": required,
    }  # fmt: skip


@register.inclusion_tag("ui/components/field.html")
def field(bound: BoundField, *, css: str = "") -> dict[str, Any]:
    """A form field with its label, hint and errors. Django itself points aria-describedby at the ids used here.

    `css` are further classes of the control. Checkboxes become switches, radio buttons a fieldset.
    """
    widget = bound.field.widget
    # RadioSelect is the base of CheckboxSelectMultiple as well.
    kind = "choices" if isinstance(widget, RadioSelect) else "switch" if isinstance(widget, CheckboxInput) else "input"
    classes = " ".join(filter(None, ["input" if kind == "input" else "", widget.attrs.get("class", ""), css]))
    control = bound.as_widget(attrs={"class": classes} if classes else {})
    return {"field": bound, "kind": kind, "control": control}


@register.inclusion_tag("ui/components/live.html")
def live() -> dict[str, Any]:
    """Says whether the page updates itself. Shown only where scripts run; `static/ui/js/live.js` keeps it honest."""
    return {}


@register.inclusion_tag("ui/components/toasts.html", takes_context=True)
def toast_tray(context: Context) -> dict[str, Any]:
    """The region for toasts, with those of the last request in it. Reading the messages uses them up."""
    waiting = [toasts.of_message(message) for message in context.get("messages") or ()]
    request = context.get("request")
    here = request.get_full_path() if request else ""
    return {"toasts": waiting, "here": here}
