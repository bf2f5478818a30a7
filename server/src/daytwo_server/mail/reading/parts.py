"""The parts of a mail: what is to be read, and what is attached."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.policy import Policy
from pathlib import PurePosixPath

from daytwo_server.mail.letter import File
from daytwo_server.mail.reading import html, plain
from daytwo_server.mail.reading.charsets import decode, decode_header_value

MIB = 1024 * 1024
MAX_LEVELS, MAX_PARTS = 30, 200
MAX_FILES, MAX_FILE_BYTES = 20, 10 * MIB
MAX_TEXT, MAX_HTML = MIB, 2 * MIB  # characters
_BODIES = frozenset({"text/plain", "text/html"})
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")


@dataclass
class Content:
    """What the parts of a mail come to. Of alternatives both are taken: one for the text, one for the HTML."""

    text: str = ""
    html: str = ""
    files: list[File] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass
class _Body:
    """One piece of what is to be read, in one or two forms."""

    plain: str = ""
    html: str = ""

    def as_text(self) -> str:
        return self.plain if self.plain.strip() else html.to_text(self.html)

    def as_html(self) -> str:
        escaped = self.plain.replace("&", "&amp;").replace("<", "&lt;")
        return self.html if self.html.strip() else f"<pre>{escaped}</pre>" if self.plain.strip() else ""


def content(message: Message) -> Content:
    """Read all parts, within the limits; what is left out is told in `notices`."""
    found = Content()
    bodies: dict[int, _Body] = {}
    for part, group in _leaves(message, found.notices):
        kind = part.get_content_type()
        broken = part.get_content_maintype() == "multipart"  # without the lines that would separate its parts
        if (kind in _BODIES and not _is_attached(part)) or broken:
            _read_body(part, bodies.setdefault(group, _Body()), found.notices)
        elif kind != "text/x-amp-html":
            _attach(part, found)
    _finish(found, list(bodies.values()))
    return found


def _finish(found: Content, bodies: list[_Body]) -> None:
    found.text = plain.clean("\n\n".join(body.as_text().strip("\n") for body in bodies))
    if any(body.html.strip() for body in bodies):
        numbers = {file.content_id: number for number, file in enumerate(found.files) if file.content_id}
        source = "\n".join(body.as_html() for body in bodies)
        if html.is_too_deep(source):
            found.notices.append("The mail has too many elements within elements to be shown as designed.")
        else:
            found.html = html.clean(source, files=numbers).strip()


def _leaves(message: Message, notices: list[str]) -> Iterator[tuple[Message, int]]:
    """Every part that is no container, in order, with a number that alternatives of one another share."""
    waiting: list[tuple[Message, int, int]] = [(message, 0, 0)]
    seen = 0
    while waiting:
        part, level, group = waiting.pop()
        seen += 1
        if seen > MAX_PARTS:
            notices.append(f"The mail has more than {MAX_PARTS} parts; those after were left out.")
            return
        if not part.is_multipart() or part.get_content_maintype() == "message":
            yield part, group or -seen
        elif level >= MAX_LEVELS:
            notices.append(f"The mail has parts within parts on more than {MAX_LEVELS} levels; those were left out.")
        else:
            shared = group or (seen if part.get_content_type() == "multipart/alternative" else 0)
            waiting.extend((each, level + 1, shared) for each in reversed(_inside(part)))


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _read_body(part: Message, body: _Body, notices: list[str]) -> None:
    text = decode(_bytes(part), str(part.get_content_charset("") or ""))
    if part.get_content_type() == "text/html":
        if len(text) > MAX_HTML:
            notices.append("The text of the mail is very long; its end was left out.")
        body.html += text[:MAX_HTML]
        return
    if str(part.get_param("format", "")).lower() == "flowed":
        text = plain.unflow(text, delsp=str(part.get_param("delsp", "")).lower() == "yes")
    if len(text) > MAX_TEXT:
        notices.append("The text of the mail is very long; its end was left out.")
    body.plain += ("\n" if body.plain else "") + text[:MAX_TEXT]


def _attach(part: Message, found: Content) -> None:
    data = _bytes(part)
    kind = part.get_content_type().lower()
    kind = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
    name = _name(part, kind)
    if len(data) > MAX_FILE_BYTES or len(found.files) >= MAX_FILES:
        why = (
            f"larger than {MAX_FILE_BYTES // MIB} MB"
            if len(data) > MAX_FILE_BYTES
            else f"not among the first {MAX_FILES}"
        )
        found.notices.append(f"The attachment {name} was left out: it is {why}.")
        return
    content_id = decode_header_value(str(part.get("Content-ID", ""))).strip().strip("<>")
    found.files.append(File(name, kind, data, content_id))


def _name(part: Message, kind: str) -> str:
    """What the sender called it, without a path, or a name that says what it is."""
    given = plain.one_line(decode_header_value(part.get_filename() or "").replace("\\", "/"))
    name = PurePosixPath(given).name.lstrip(". ")
    if name:
        stem, dot, suffix = name.rpartition(".")
        return f"{stem[:180]}{dot}{suffix[:20]}" if dot else name[:200]
    return f"attachment{mimetypes.guess_extension(kind) or ''}" if kind != "message/rfc822" else "message.eml"


def _bytes(part: Message) -> bytes:
    """What the part holds, decoded; a mail in a mail as it came."""
    if part.is_multipart():
        return b"\r\n".join(map(flat, _inside(part)))
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _inside(part: Message) -> list[Message]:
    return [each for each in part.get_payload() if isinstance(each, Message)]


def flat(message: Message, policy: Policy | None = None) -> bytes:
    """All of a mail that was taken apart, as well as it can be put together. Never fails."""
    try:
        return message.as_bytes(policy=policy)
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ):  # the generator is pickier than the parser
        return "\r\n".join(f"{name}: {value}" for name, value in message.raw_items()).encode("utf-8", "replace")
