"""Text of mails as agents read it."""

from __future__ import annotations

import re

_NOT_PLAIN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TOO_MANY_BREAKS = re.compile(r"\n{4,}")
_QUOTED = re.compile(r"^>+")


def clean(text: str) -> str:
    """Line breaks as newlines, no control characters, no trailing space, no empty lines at both ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u00a0", " ")
    lines = _NOT_PLAIN.sub("", text).split("\n")
    return _TOO_MANY_BREAKS.sub("\n\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


def one_line(text: str) -> str:
    """Printable characters of a header, on one line. What turns the direction of writing is no such character."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def unflow(text: str, *, delsp: bool) -> str:
    """Paragraphs on one line each, as RFC 3676 (format=flowed) asks a reader to show them."""
    lines: list[str] = []
    open_depth: int | None = None  # of the paragraph that the last line left open
    for line in text.replace("\r\n", "\n").split("\n"):
        marks = _QUOTED.match(line)
        depth = marks.end() if marks else 0
        words = line[depth:]
        words = words.removeprefix(" ")
        flows = words.endswith(" ") and words != "-- "
        if flows and delsp:
            words = words[:-1]
        if open_depth == depth and words != "-- ":
            lines[-1] += words
        else:
            lines.append(f"{'>' * depth} {words}" if depth else words)
        open_depth = depth if flows else None
    return "\n".join(lines)
