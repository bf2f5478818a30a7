"""Files that are on their way into a ticket. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from daytwo_server.tickets.checks import one_line

MAX_FILES = 20
MAX_NAME = 255
_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """`content_type` is what its sender calls it. `data` is read once."""

    name: str
    content_type: str
    data: bytes | Iterable[bytes]


def named(name: str) -> str:
    """A name that is one of a file and nothing else: no folders, no line breaks, not hidden, not empty."""
    last = re.split(r"[/\\]", one_line(name, 1000))[-1].strip(" .")
    if len(last) > MAX_NAME:
        stem, dot, ending = last.rpartition(".")
        last = f"{stem[: MAX_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) < 20 else last[:MAX_NAME]
    return last or "file"


def typed(content_type: str) -> str:
    """The type without its parameters, in lower case; a stream of bytes when it is none."""
    plain = content_type.partition(";")[0].strip().lower()
    return plain if _TYPE.fullmatch(plain) else UNKNOWN_TYPE
