"""Initials and a colour for somebody without a picture."""

import zlib


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
