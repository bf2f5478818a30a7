"""Bytes to text, whatever they claim to be."""

from __future__ import annotations

import codecs
import email.errors
from email.header import decode_header

# What mail programs write and Python calls otherwise. Latin-1 is what they write for its Windows superset, too.
_ALIASES = {
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "euc-kr": "cp949",
    "windows-874": "cp874", "x-windows-874": "cp874",
    "iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "unicode-1-1-utf-7": "utf-7", "x-gbk": "gbk",
    "gb2312": "gb18030", "x-sjis": "cp932", "shift_jis": "cp932", "x-mac-roman": "mac-roman", "macintosh": "mac-roman",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "us-ascii": "utf-8", "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8", "cp-850": "cp850", "utf8": "utf-8",
}  # fmt: skip
_GUESSED_FROM = 20_000  # bytes; more takes long and says no more
_ENOUGH_TO_GUESS = 8  # bytes above 127; from fewer the guess is wrong more often than the most common charset


def decode(data: bytes, declared: str = "") -> str:
    """As declared, else UTF-8, else what the bytes look like, else one character a byte. Never fails."""
    for name in (declared.strip().strip("\"'").lower(), "utf-8"):
        text = _decoded(data, _ALIASES.get(name, name)) if name else None
        if text is not None:
            return text
    guesses = ["cp1252"]
    if sum(byte > 127 for byte in data[:_GUESSED_FROM]) >= _ENOUGH_TO_GUESS:
        from charset_normalizer import from_bytes  # rarely needed, and large

        guess = from_bytes(data[:_GUESSED_FROM]).best()
        guesses = [guess.encoding, *guesses] if guess else guesses
    texts = (_decoded(data, name) for name in guesses)
    return next((text for text in texts if text is not None), data.decode("latin-1"))


def decode_header_value(raw: str) -> str:
    """A header as the parser keeps it (`raw_items`), in readable text on one line."""
    unfolded = " ".join(raw.split())
    if "=?" not in unfolded:
        return _of_escaped(unfolded)
    try:
        parts = decode_header(_of_escaped(unfolded))
    except (email.errors.HeaderParseError, ValueError):
        return _of_escaped(unfolded)
    return "".join(part if isinstance(part, str) else decode(part, charset or "") for part, charset in parts)


def _of_escaped(value: str) -> str:
    """The parser keeps bytes above 127 as lone surrogates."""
    return decode(value.encode("utf-8", "surrogateescape"))


def _decoded(data: bytes, name: str) -> str | None:
    try:
        if codecs.lookup(name)._is_text_encoding:  # noqa: SLF001 - "base64" and "zip" are codecs too
            return data.decode(name).removeprefix("\ufeff")
    except (LookupError, UnicodeError, ValueError):
        pass
    return None
