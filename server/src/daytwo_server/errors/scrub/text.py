"""Secrets inside text: `password=x` in messages, query strings, reprs of local variables and source lines.

A name is found by what follows it (`=`, `:`, `=>`), judged like the key of an object, and its value hidden up to
where it ends: at its quote, its bracket, or the end of the word.
"""

import re
from functools import lru_cache
from urllib.parse import unquote

from daytwo_server.errors.scrub.names import FILTERED, Names, is_harmless
from daytwo_server.errors.scrub.shapes import hide_shapes

_NAMED = re.compile(
    r"""(?<![\w.$])([A-Za-z_][\w.$%\-\[\]]{1,80}+)((?:\\{0,3}["'])?\]?)\s{0,4}(=>|:=|[=!]==?|=|:(?![:/])|,|>)\s{0,4}"""
)
_SEPARATOR = re.compile(r"[=:,>]")
_ENCODED = re.compile(r"([A-Za-z_]\w{1,40})%3[Dd]([^%&\s\"']+)")
_ARGUMENT = re.compile(r"--([A-Za-z][\w-]{1,40})\s+(?=[^\s-])")
_FORM = re.compile(r"[^\s=&{}<>\"']{1,80}=[^\s&]*(?:&[^\s=&]{1,80}=[^\s&]*)*+\Z")
_SETTING = re.compile(r"([A-Za-z_]\w{1,80})=")
_OPENING = re.compile(r"""[bBrRuUfF]{0,2}(\\{0,3})(\"\"\"|'''|["'])""")
_ANNOTATION = re.compile(r"[\w\[\]., |\"']{1,40}=\s{0,4}")
_BARE = re.compile(r"[^\s&,;\"'<>]+")
_TO_LINE_END = re.compile(r"[^\r\n\"'<>]+")
_BASE64_LINE = re.compile(r"\s*[\"']?[A-Za-z0-9+/]{60,}={0,2}(?:\\n)?[\"']?[\s,+\\)]*\Z")
_CLOSING = {"{": "}", "[": "]", "(": ")", "<": ">"}
_SCHEMES = frozenset({"bearer", "basic", "token", "digest", "negotiate", "apikey"})
_HEADERS = ("authorization", "cookie")
# "Invalid token: must be ..." is a sentence; a password that is one of these words is nobody's secret.
_PROSE = frozenset({
    "a", "an", "and", "are", "at", "be", "but", "by", "can", "cannot", "could", "did", "does", "empty",
    "expected", "expired", "failed", "for", "found", "from", "got", "had", "has", "have", "if", "in",
    "incorrect", "invalid", "is", "it", "its", "mismatch", "missing", "must", "no", "none", "not", "null", "of",
    "on", "or", "required", "should", "signature", "signed", "so", "that", "the", "this", "to", "too",
    "undefined", "unexpected", "unknown", "user", "wants", "was", "were", "when", "which", "will", "with", "without",
    "wrong", "you", "your",
})  # fmt: skip
_CACHED_LENGTH = 256


def scrub_text(text: str, names: Names) -> tuple[str, int]:
    """The text without its secrets, and how many were hidden."""
    # Short texts repeat from event to event (source lines, header values, reprs of None).
    if len(text) <= _CACHED_LENGTH:
        return _scrub_short(text, names)
    return _scrub_any(text, names, source=False)


def scrub_source(line: str, names: Names) -> tuple[str, int]:
    """A line of source code without its secrets: only literals are values there, `token = request.token` stays."""
    if len(line) <= _CACHED_LENGTH:
        return _scrub_short_source(line, names)
    return _scrub_any(line, names, source=True)


@lru_cache(maxsize=2048)
def _scrub_short(text: str, names: Names) -> tuple[str, int]:
    return _scrub_any(text, names, source=False)


@lru_cache(maxsize=2048)
def _scrub_short_source(line: str, names: Names) -> tuple[str, int]:
    return _scrub_any(line, names, source=True)


def _scrub_any(text: str, names: Names, *, source: bool) -> tuple[str, int]:
    hidden = 0
    if not source:
        text, hidden = _scrub_whole(text, names)
    elif _BASE64_LINE.match(text):
        return FILTERED, 1  # a line out of the middle of a key; its first line may be outside the context
    named = 0
    if _SEPARATOR.search(text):
        text, named = _hide_named(text, names, source=source)
    if "%3" in text:
        text, encoded = _hide_encoded(text, names)
        named += encoded
    if "--" in text and not source:
        text, arguments = _hide_arguments(text, names)
        named += arguments
    text, shaped = hide_shapes(text)
    return text, hidden + named + shaped


def _scrub_whole(text: str, names: Names) -> tuple[str, int]:
    """Texts that are one thing as a whole: a query string or form body, or NAME=value out of an environment."""
    if "=" not in text:
        return text, 0
    if _FORM.match(text):
        return _hide_form(text, names)
    setting = _SETTING.match(text)
    if setting and "\n" not in text and " " not in setting[1] and "&" not in text:
        return _hide_setting(text, setting, names)
    return text, 0


def _hide_form(text: str, names: Names) -> tuple[str, int]:
    hidden = 0
    parts = text.split("&")
    for index, part in enumerate(parts):
        name, _, value = part.partition("=")
        verdict = names.verdict(unquote(name))
        if verdict and not is_harmless(value, verdict, name=name):
            parts[index] = f"{name}={FILTERED}"
            hidden += 1
    return ("&".join(parts), hidden) if hidden else (text, 0)


def _hide_setting(text: str, setting: re.Match[str], names: Names) -> tuple[str, int]:
    name, value = setting[1], text[setting.end() :]
    if not name.isupper():
        return text, 0
    verdict = names.verdict(name)
    if verdict and ";" not in value and not is_harmless(value, verdict, name=name):
        return f"{name}={FILTERED}", 1
    return text, 0


def _hide_named(text: str, names: Names, *, source: bool) -> tuple[str, int]:
    pieces: list[str] = []
    position = done = 0
    while match := _NAMED.search(text, position):
        position = match.end()
        verdict = names.verdict(_name(text, match))
        if not verdict or not _is_assignment(text, match):
            continue
        literal_only = source and text[match.start() - 1 : match.start()] not in ("?", "&")
        span = _value_span(text, match, literal_only=literal_only)
        if span is None or is_harmless(text[span[0] : span[1]], verdict, name=match[1]):
            continue
        pieces += (text[done : span[0]], FILTERED)
        position = done = span[1]
    if not pieces:
        return text, 0
    return "".join(pieces) + text[done:], len(pieces) // 2


def _name(text: str, match: re.Match[str]) -> str:
    """The name, without the n of an escaped line break before it."""
    name = match[1]
    escaped = match.start() and text[match.start() - 1] == "\\" and name[0] in "nrt"
    return name[1:] if escaped else name


def _is_assignment(text: str, match: re.Match[str]) -> bool:
    """`,` only between the halves of a pair ('token', 'x'), `>` only after a tag <token>x."""
    separator, start = match[3], match.start()
    if separator == ",":
        before = start - 1
        while before > 0 and text[before] in "\\\"'bu":
            before -= 1
        return bool(match[2]) and text[before] in "(["
    if separator == ">":
        return start > 0 and text[start - 1] == "<"
    return True


def _value_span(text: str, match: re.Match[str], *, literal_only: bool) -> tuple[int, int] | None:
    """From where to where the value after a name reaches, quotes left outside; None if there is nothing to hide."""
    start = match.end()
    if literal_only and match[3] == ":" and not _OPENING.match(text, start):
        annotation = _ANNOTATION.match(text, start)
        start = annotation.end() if annotation else start
    if opening := _OPENING.match(text, start):
        return opening.end(), _closing_quote(text, opening)
    if literal_only or start >= len(text):
        return None
    if text[start] in _CLOSING:
        return start, _closing_bracket(text, start)
    return _bare_span(text, match, start)


def _bare_span(text: str, match: re.Match[str], start: int) -> tuple[int, int] | None:
    name = match[1].lower()
    if match[3] == ":" and name.endswith(_HEADERS):
        line = _TO_LINE_END.match(text, start)
        return (start, line.end()) if line else None
    bare = _BARE.match(text, start)
    if bare is None:
        return None
    word = bare.group()
    if match[3] == ":" and word.rstrip(".").lower() in _PROSE:
        return None
    if word.lower() in _SCHEMES and text[bare.end() : bare.end() + 1] == " ":
        line = _TO_LINE_END.match(text, start)
        return (start, line.end()) if line else None
    if "(" in word:
        return start, _closing_bracket(text, start + word.index("("))
    end = start + len(word.rstrip(")]}."))
    return (start, end) if end > start else None


def _closing_quote(text: str, opening: re.Match[str]) -> int:
    """Where the literal ends: before its closing quote, or at the end of a text that was cut."""
    escapes, quote = opening[1], opening[2]
    end = text.find(escapes + quote, opening.end())
    while end > 0:
        backslashes = end
        while backslashes > opening.end() and text[backslashes - 1] == "\\":
            backslashes -= 1
        if (end - backslashes) % 2 == 0:
            return end
        end = text.find(escapes + quote, end + 1)
    return len(text)


def _closing_bracket(text: str, start: int) -> int:
    """The position after the bracket that closes the one at `start`; the end of a text that was cut."""
    stack = [_CLOSING[text[start]]]
    position = start + 1
    while position < len(text):
        character = text[position]
        if character in "\"'" and (opening := _OPENING.match(text, position)):
            position = _closing_quote(text, opening) + len(opening[2])
            continue
        if character == stack[-1]:
            stack.pop()
            if not stack:
                return position + 1
        elif character in _CLOSING and character != "<":
            stack.append(_CLOSING[character])
        position += 1
    return len(text)


def _hide_encoded(text: str, names: Names) -> tuple[str, int]:
    """Query strings inside query strings: `next=%2Fpay%3Ftoken%3Dabc`."""
    hidden = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal hidden
        verdict = names.verdict(match[1])
        if not verdict or is_harmless(match[2], verdict):
            return match.group()
        hidden += 1
        return match.group()[: match.start(2) - match.start()] + FILTERED

    return _ENCODED.sub(replace, text), hidden


def _hide_arguments(text: str, names: Names) -> tuple[str, int]:
    """Command lines: `mysql --password hunter2`."""
    pieces: list[str] = []
    done = 0
    for match in _ARGUMENT.finditer(text):
        verdict = names.verdict(match[1])
        value = _BARE.match(text, match.end())
        if verdict and value and value.group() != FILTERED and match.end() >= done:
            pieces += (text[done : match.end()], FILTERED)
            done = value.end()
    if not pieces:
        return text, 0
    return "".join(pieces) + text[done:], len(pieces) // 2
