"""HTML of mails: cleaned to be shown, and turned into text to be read and searched.

Clean HTML loads nothing. A picture from elsewhere has its address in `data-remote`, one that came along has the number
of its attachment in `data-file`; `with_files` gives those an address.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Mapping
from html.parser import HTMLParser

# Their content is no text of the mail.
_SILENT = {"script", "style", "title"}
_FILE, _REMOTE = "daytwo-file:", "daytwo-remote:"
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_NUMBERED = re.compile(r'\sdata-file="(\d{1,4})"')


def clean(source: str, *, files: Mapping[str, int]) -> str:
    """What may be shown of it. `files` gives the number of an attachment by its content id, without brackets."""
    import nh3  # only where mail is read: every process knows this module, for its jobs

    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag != "img" or name != "src":
            return None if value.lower().startswith("cid:") else value
        scheme, _, rest = value.strip().partition(":")
        if scheme.lower() == "cid":
            number = files.get(rest)
            return None if number is None else f"{_FILE}{number}"
        return f"{_REMOTE}{value.strip()}" if scheme.lower() in {"http", "https"} else None

    cleaned = nh3.clean(
        source, tags=set(nh3.ALLOWED_TAGS) - {"map", "area"}, clean_content_tags=_SILENT, attribute_filter=attribute,
        url_schemes=_SCHEMES, link_rel="noopener noreferrer nofollow", strip_comments=True,
    )  # fmt: skip
    # Nobody but the filter above can have written these schemes: they are none of those that are let through.
    return cleaned.replace(f' src="{_FILE}', ' data-file="').replace(f' src="{_REMOTE}', ' data-remote="')


def is_too_deep(source: str) -> bool:
    """Whether cleaning it would take long: parsers walk up all that is open for every element that begins.

    Elements that end by themselves count as nothing; of the others each that is closed was opened under its own name.
    """
    still_open: Counter[str] = Counter()
    depth = 0
    for slash, name in _TAG.findall(source):
        tag = name.lower()
        if tag in _VOID or tag in _ENDING_THEMSELVES:
            continue
        if not slash:
            still_open[tag] += 1
            depth += 1
        elif still_open[tag]:
            still_open[tag] -= 1
            depth -= 1
        if depth > _DEEPEST:
            return True
    return False


def with_files(cleaned: str, url_of: Callable[[int], str]) -> str:
    """Clean HTML in which the pictures that came along are shown; `url_of` gives the address of an attachment."""
    return _NUMBERED.sub(lambda found: f' src="{html.escape(url_of(int(found[1])), quote=True)}"', cleaned)


def to_text(source: str) -> str:
    """What a reader sees, with `> ` before the lines of quotes, and addresses behind links that hide them."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return reader.text()


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)")
_DEEPEST = 500


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENDING_THEMSELVES = _words("p li dd dt td th tr tbody thead tfoot option optgroup colgroup html body head")
_BLOCKS = _words("""
    address article aside blockquote center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6
    header hr li main nav ol p pre section table tbody tfoot thead tr ul
""")
_PARAGRAPHS = _words("p h1 h2 h3 h4 h5 h6 ul ol pre table blockquote")
_HIDDEN = _words("script style title head template")
_VOID = _words("area base br col embed hr img input link meta param source track wbr")
# Everything in them is what somebody wrote earlier, or the line that says so.
_QUOTE_CLASSES = _words("gmail_attr moz-cite-prefix yahoo_quoted protonmail_quote tutanota_quote")
# And everything from there to the end.
_REST_IDS = _words("divrplyfwdmsg appendonsend stopspelling zwchr mail-editor-reference-message-container")
_REST_CLASSES = frozenset({"ms-outlook-mobile-reference-message"})
_SPACE = re.compile(r"[ \t\r\n\f]+")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._open: list[tuple[str, bool]] = []  # tag, and whether it quotes
        self._hidden = 0
        self._pre = 0
        self._depth = 0
        self._rest = False
        self._link: list[tuple[str, int, int]] = []

    def text(self) -> str:
        return "\n".join(self._lines)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "br":
            self._line()
            return
        if tag in _BLOCKS:
            self._block(paragraph=tag in _PARAGRAPHS)
        self._notice_rest(given)
        if tag == "img" and (alt := given.get("alt", "").strip()):
            self._write(f"[{alt}]")
        if tag in {"td", "th"}:
            self._write(" ")
        if tag == "li":
            self._write("- ")
        if tag in _VOID:
            return
        quotes = tag == "blockquote" or bool(_QUOTE_CLASSES & set(given.get("class", "").lower().split()))
        if len(self._open) < 500:
            self._open.append((tag, quotes))
            self._depth += quotes
            self._hidden += tag in _HIDDEN
            self._pre += tag == "pre"
            if quotes:
                self._block(paragraph=False)
        if tag == "a":
            self._link.append((given.get("href", ""), len(self._lines) - 1, len(self._lines[-1])))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            self._end_link(*self._link.pop())
        if tag not in (name for name, _ in self._open):
            return
        if tag in _BLOCKS:
            self._block(paragraph=tag in _PARAGRAPHS)
        while self._open:
            name, quotes = self._open.pop()
            self._depth -= quotes
            self._hidden -= name in _HIDDEN
            self._pre -= name == "pre"
            if quotes:
                self._block(paragraph=False)
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._pre:
            first, *others = data.split("\n")
            self._write(first)
            for line in others:
                self._line()
                self._write(line)
            return
        words = _SPACE.sub(" ", data)
        at_start = self._lines[-1] in {"", self._prefix()} or self._lines[-1].endswith(" ")
        self._write(words.lstrip(" ") if at_start else words)

    def _notice_rest(self, given: dict[str, str]) -> None:
        marked = given.get("id", "").lower().removeprefix("x_") in _REST_IDS
        if marked or _REST_CLASSES & set(given.get("class", "").lower().split()):
            self._block(paragraph=False)
            self._rest = True

    def _prefix(self) -> str:
        depth = min(self._depth + self._rest, 20)
        return "> " * depth

    def _write(self, words: str) -> None:
        if words:
            self._lines[-1] = (self._lines[-1] or self._prefix()) + words

    def _line(self) -> None:
        if not self._hidden:
            self._lines[-1] = self._lines[-1] or self._prefix()
            self._lines.append("")

    def _block(self, *, paragraph: bool) -> None:
        """On to a new line, and leave one empty around a paragraph."""
        if self._lines[-1].strip("> "):
            self._lines.append("")
        if paragraph and len(self._lines) > 1 and self._lines[-2].strip("> "):
            self._lines[-1] = self._prefix()
            self._lines.append("")

    def _end_link(self, href: str, line: int, column: int) -> None:
        shown = self._lines[line][column:].strip() if line == len(self._lines) - 1 else ""
        bare = href.removeprefix("mailto:")
        if href.startswith(("http://", "https://")) and shown and shown not in (bare, bare.partition("://")[2]):
            self._write(f" <{href}>")
