"""Colours for lines of source code: keywords, strings, numbers and comments of the languages our users run.

A stack trace shows a window of a file, so this is no parser: it may mistake the middle of a long string for code,
and then a word is coloured that should not be. It never changes, drops or runs the text, and it escapes all of it.
"""

import functools
import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_PYTHON = """False None True and as assert async await break case class continue def del elif else except finally for
from global if import in is lambda match nonlocal not or pass raise return self try while with yield"""
_JAVASCRIPT = """abstract any as async await break case catch class const continue debugger default delete do else enum
export extends false finally for from function get if implements import in instanceof interface let new null of
private protected public readonly return set static super switch this throw true try type typeof undefined var void
while with yield"""
_STRING = r'"(?:[^"\\\n]|\\.)*"?|\'(?:[^\'\\\n]|\\.)*\'?'
_NUMBER = r"\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)n?\b"
_GRAMMARS = {
    "python": (
        r'[rRbBfFuU]{0,2}(?:"""[\s\S]*?(?:"""|\Z)|\'\'\'[\s\S]*?(?:\'\'\'|\Z)|' + _STRING + ")",
        r"#[^\n]*",
        _PYTHON,
    ),
    "javascript": (r"`(?:[^`\\]|\\[\s\S])*`?|" + _STRING, r"//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)", _JAVASCRIPT),
}
_LANGUAGES = {
    "python": "python", "py": "python", "pyi": "python",
    "javascript": "javascript", "js": "javascript", "jsx": "javascript", "mjs": "javascript", "cjs": "javascript",
    "typescript": "javascript", "ts": "javascript", "tsx": "javascript", "node": "javascript",
}  # fmt: skip
_LONGEST = 20_000  # characters; a minified bundle is one line of megabytes and nobody reads it coloured


def language_of(name: str) -> str:
    """The language of a file name, an extension or a platform ("app/views.py", "tsx", "python"); "" when unknown."""
    return _LANGUAGES.get(name.rpartition(".")[2].lower(), "")


@functools.cache
def _grammar(language: str) -> re.Pattern[str]:
    string, comment, words = _GRAMMARS[language]
    # A comment comes first for Python's "# it's"; JavaScript's "//" inside a string is safe because matching
    # goes from left to right and the string began earlier.
    keywords = "|".join(words.split())
    return re.compile(
        rf"(?P<c>{comment})|(?P<s>{string})|(?<![\w.$])(?P<k>{keywords})(?![\w$])|(?<![\w$])(?P<n>{_NUMBER})"
    )


def highlight_lines(lines: list[str], language: str) -> list[SafeString]:
    """The lines as safe HTML, one for each given. They are read as one text, so a string may run over several."""
    grammar = _LANGUAGES.get(language.lower(), "")
    # A line break inside an item would make more lines come out than went in.
    lines = [line.replace("\r", "").replace("\n", " ") for line in lines]
    text = "\n".join(lines)
    if not (grammar and lines) or len(text) > _LONGEST:
        return [mark_safe(escape(line)) for line in lines]  # noqa: S308 - escaped
    pieces: list[str] = []
    end = 0
    for match in _grammar(grammar).finditer(text):
        pieces.append(escape(text[end : match.start()]))
        pieces.append(_spans(match.lastgroup or "", match[0]))
        end = match.end()
    pieces.append(escape(text[end:]))
    return [mark_safe(line) for line in "".join(pieces).split("\n")]  # noqa: S308 - every piece was escaped


def _spans(kind: str, text: str) -> str:
    """A span for each line of the token: no element may begin on one line and end on another."""
    return "\n".join(f'<span class="{kind}">{escape(part)}</span>' if part else "" for part in text.split("\n"))
