r"""The framing of Sentry envelopes, read piece by piece.

An envelope is a JSON header line, then items: a JSON header line and a payload. With `length` the payload is exactly
that many bytes, then a newline or the end; without, it runs to the next newline or the end. `\r` belongs to the
payload, but a header line may end in `\r\n`: JSON allows whitespace after a value. Blank lines before an item header
are skipped. Payloads that will not be stored pass by without being kept.
"""

import datetime as dt
import math
import re
import uuid
from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from daytwo_server.ingest.limits import MAIN_ITEMS, REFUSED_WHEN_TOO_LARGE, Limits
from daytwo_server.ingest.refused import malformed, too_large

_EVENT_ID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NOT_STORED_YET = "not_stored_yet"
TOO_LARGE = "too_large"


class _EnvelopeHeader(msgspec.Struct):
    event_id: str | None = None
    dsn: str | None = None
    sent_at: Any = None
    sdk: Any = None


class _ItemHeader(msgspec.Struct):
    type: str
    length: Annotated[int, msgspec.Meta(ge=0)] | None = None


class _EventHead(msgspec.Struct):
    event_id: Any = None
    type: Any = None


_decode_header = msgspec.json.Decoder(_EnvelopeHeader).decode
_decode_item_header = msgspec.json.Decoder(_ItemHeader).decode
_decode_event_head = msgspec.json.Decoder(_EventHead).decode
# msgspec has errors of its own for bad JSON; bad UTF-8 in a field and deep nesting raise the other two.
_BAD_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def normal_event_id(value: object) -> str | None:
    """The 32 lower-case hex digits of a dashed or undashed event id, or None for anything else."""
    if isinstance(value, str) and _EVENT_ID.fullmatch(value):
        return value.replace("-", "").lower()
    return None


def new_event_id() -> str:
    return uuid.uuid4().hex


def sdk_name(value: object) -> str:
    """Make "name/version" of an envelope's or event's `sdk` object, or "" when it has no name."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return ""
    version = value.get("version")
    return f"{value['name']}/{version}" if isinstance(version, str) else value["name"]


def unix_time(value: object) -> float | None:
    """Unix seconds of a number or an RFC 3339 text, or None: a clock that cannot be read must not lose an event."""
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        return moment.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:  # JSON sets no end to whole numbers
        return None
    return seconds if math.isfinite(seconds) else None


class Header(msgspec.Struct, frozen=True):
    """The envelope header as far as intake reads it. `event_id` is normal, `sent_at` unix seconds."""

    event_id: str | None
    dsn: str | None
    sent_at: float | None
    sdk: str


class EventHead(msgspec.Struct, frozen=True):
    """What intake reads of an event payload: its id (None when absent or no id at all) and its item type."""

    event_id: str | None
    item_type: str


def read_event_head(payload: bytes) -> EventHead:
    """Check that `payload` is a JSON object and read its head without building the rest. Raises 400."""
    try:
        head = _decode_event_head(payload)
    except _BAD_JSON as error:
        raise malformed("The event is not a JSON object.", str(error)) from None
    return EventHead(normal_event_id(head.event_id), "transaction" if head.type == "transaction" else "event")


class Framer:
    """Takes decoded pieces of any size, gives the items to store and counts the rest.

    After `finish`: `items` in order as (type, payload), `passed` with the number of items that are not kept by
    (type, reason), `event_id` from the header, else from the event, else new when there is an event. `header` is there
    as soon as its line is. `kept_bytes` is what the framer holds in memory now. Raises `Refused`.
    """

    def __init__(self, limits: Limits) -> None:
        self.header: Header | None = None
        self.items: list[tuple[str, bytes]] = []
        self.passed: dict[tuple[str, str], int] = {}
        self.event_id: str | None = None
        self.kept_bytes = 0
        self._limits = limits
        # Plain functions: a bound method kept on its own object is a cycle, and payloads would wait for the collector.
        self._step: Callable[[Framer, bytes, int], int] = Framer._read_header
        self._line: list[bytes] = []
        self._line_bytes = 0
        self._count = 0
        self._main: str | None = None
        self._type = ""
        self._payload: list[bytes] = []
        self._size = 0
        self._left = 0
        self._skip: str | None = None  # the reason why the current payload is not kept

    def feed(self, data: bytes) -> None:
        position, end = 0, len(data)
        while position < end:
            position = self._step(self, data, position)

    def finish(self) -> None:
        """The body has ended. Raises 400 when it ended inside a payload or before the header."""
        if self._step is Framer._read_header:
            self._take_header(b"".join(self._line))
        elif self._step is Framer._read_item_header:
            line = b"".join(self._line).strip()
            if line:
                self._begin_item(line)
        if self._step is Framer._read_sized:
            raise malformed("The envelope is truncated.", f"The {self._type} item lacks {self._left} bytes.")
        if self._step is Framer._read_line_payload:
            self._end_item()
        if self._main is not None:
            self.event_id = self.event_id or new_event_id()

    # Each step takes what it can from data[position:] and returns the new position.

    def _read_header(self, data: bytes, position: int) -> int:
        line, position = self._read_line(data, position)
        if line is not None:
            self._take_header(line)
        return position

    def _read_item_header(self, data: bytes, position: int) -> int:
        line, position = self._read_line(data, position)
        if line is not None and line.strip():
            self._begin_item(line)
        return position

    def _read_sized(self, data: bytes, position: int) -> int:
        chunk = data[position : position + self._left]
        self._left -= len(chunk)
        self._keep(chunk)
        if self._left == 0:
            self._end_item()
            self._step = Framer._read_separator
        return position + len(chunk)

    def _read_line_payload(self, data: bytes, position: int) -> int:
        newline = data.find(b"\n", position)
        end = newline if newline >= 0 else len(data)
        self._keep(data[position:end])
        if newline < 0:
            return end
        self._end_item()
        self._step = Framer._read_item_header
        return end + 1

    def _read_separator(self, data: bytes, position: int) -> int:
        if data[position] != 0x0A:
            raise malformed("The envelope is malformed.", f"No newline after the {self._type} item of stated length.")
        self._step = Framer._read_item_header
        return position + 1

    def _read_line(self, data: bytes, position: int) -> tuple[bytes | None, int]:
        """The line up to the next newline, or None when it goes on in the next piece."""
        newline = data.find(b"\n", position)
        end = newline if newline >= 0 else len(data)
        self._line_bytes += end - position
        if self._line_bytes > self._limits.header_bytes:
            raise too_large(f"A header of the envelope has more than {self._limits.header_bytes} bytes.")
        self._line.append(data[position:end])
        if newline < 0:
            return None, end
        line = b"".join(self._line) if len(self._line) > 1 else self._line[0]
        self._line.clear()
        self._line_bytes = 0
        return line, newline + 1

    def _take_header(self, line: bytes) -> None:
        try:
            header = _decode_header(line)
        except _BAD_JSON as error:
            raise malformed("The envelope header is not valid.", str(error)) from None
        event_id = normal_event_id(header.event_id)
        if header.event_id is not None and event_id is None:
            raise malformed("The envelope header is not valid.", "event_id is not a UUID.")
        self.event_id = event_id
        self.header = Header(event_id, header.dsn, unix_time(header.sent_at), sdk_name(header.sdk))
        self._step = Framer._read_item_header

    def _begin_item(self, line: bytes) -> None:
        try:
            header = _decode_item_header(line)
        except _BAD_JSON as error:
            raise malformed("An item header is not valid.", str(error)) from None
        self._count += 1
        if self._count > self._limits.items:
            raise too_large(f"The envelope has more than {self._limits.items} items.")
        if header.type in MAIN_ITEMS:
            if self._main is not None:
                raise malformed("The envelope has more than one event or transaction.")
            self._main = header.type
        self._type = header.type
        self._size = 0
        self._skip = None if header.type in self._limits.stored else NOT_STORED_YET
        if header.length is None:
            self._step = Framer._read_line_payload
            return
        self._check_size(header.length)
        self._left = header.length
        self._step = Framer._read_sized
        if self._left == 0:
            self._end_item()
            self._step = Framer._read_separator

    def _keep(self, chunk: bytes) -> None:
        self._size += len(chunk)
        self._check_size(self._size)
        if self._skip is None:
            self._payload.append(chunk)
            self.kept_bytes += len(chunk)

    def _check_size(self, size: int) -> None:
        cap = self._limits.item_bytes.get(self._type)
        if cap is None or size <= cap or self._skip == TOO_LARGE:
            return
        if self._type in REFUSED_WHEN_TOO_LARGE:
            raise too_large(f"The {self._type} item has more than {cap} bytes.", item=self._type)
        self.kept_bytes -= sum(map(len, self._payload))
        self._payload.clear()
        self._skip = TOO_LARGE

    def _end_item(self) -> None:
        if self._skip is not None:
            kind = (self._type, self._skip)
            self.passed[kind] = self.passed.get(kind, 0) + 1
            return
        payload = b"".join(self._payload)
        self._payload.clear()
        if self._type in MAIN_ITEMS:
            head = read_event_head(payload)
            self.event_id = self.event_id or head.event_id
        self.items.append((self._type, payload))


def one_event(payload: bytes, limits: Limits) -> Framer:
    """What a framer would hold after an envelope with just this event: for the store endpoint. Raises `Refused`."""
    head = read_event_head(payload)
    if len(payload) > limits.item_bytes[head.item_type]:
        raise too_large(
            f"The {head.item_type} has more than {limits.item_bytes[head.item_type]} bytes.", item=head.item_type
        )
    framer = Framer(limits)
    framer.header = Header(head.event_id, None, None, "")
    framer.event_id = head.event_id or new_event_id()
    if head.item_type in limits.stored:
        framer.items.append((head.item_type, payload))
        framer.kept_bytes = len(payload)
    else:
        framer.passed[head.item_type, NOT_STORED_YET] = 1
    return framer
